/** The defaults that the command line's help shows too; this file imports nothing, because help must be quick. */
export const DEFAULTS = {
  agents: 3,
  /** Most agents of `auto`: for each core, and at least and at most. */
  maxAgents: { eachCore: 8, least: 16, most: 128 },
  workstreams: 'workstreams',
  state: '.state',
  reports: 'reports',
  timeout: 3_600,
  grace: 2,
  maxOutput: 1_000,
  distribution: 'dynamic',
  merge: 'run',
  outsideScope: 'warn',
  toolCircuit: 3,
  logLevel: 'info',
} as const;

/** The name of the database in the state folder. */
export const DATABASE = 'multi_agent_consolidated.db';
