import type { JsonObject } from '../domain/json.ts';
import { projectSchema } from '../domain/project.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { Decision } from '../run/coordinator.ts';
import { Refusal } from './refusal.ts';
import { z } from 'zod';

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

/** The options of a run, for the library and the command line alike. */

const positive = z.number().positive();
const MOST_AGENTS = 1024;
const count = z.int().min(1).max(MOST_AGENTS);
const path = z.string().min(1);

const schema = z.strictObject({
  /** Number of agents, one worker thread each; `auto` for one that starts with the cores and follows the load. */
  agentsCount: z
    .union([count, z.literal('auto')], { error: `expected a whole number from 1 to ${MOST_AGENTS}, or auto` })
    .default(DEFAULTS.agents),
  /** Most agents of `auto`; null for 8 for each core, at least 16 and at most 128. */
  maxAgents: count.nullable().default(null),
  /** Folder of workstream files. */
  workstreams: path.default(DEFAULTS.workstreams),
  /** Folder for the database, logs and compiled modules. */
  state: path.default(DEFAULTS.state),
  /** Folder for reports. */
  reports: path.default(DEFAULTS.reports),
  /** The folder that the others are relative to, and in which commands run. */
  cwd: path.default(() => process.cwd()),
  /** Ids or globs of the workstreams to run; empty for all of them. */
  select: z.array(z.string()).default([]),
  /** Whether selected workstreams bring along what they depend on. */
  withDependencies: z.boolean().default(false),
  /** Hard limit of a workstream that names none, in seconds. */
  timeoutSeconds: positive.max(2_000_000).default(DEFAULTS.timeout),
  /** How long what is told to stop may take before it is made to, in seconds. */
  graceSeconds: z.number().nonnegative().max(3_600).default(DEFAULTS.grace),
  /** Limit of each thread's JavaScript heap in MB; null for Node's own. Buffers are not in it. */
  agentMemoryMb: z.int().min(16).nullable().default(null),
  /** Largest output of one step in MB. */
  maxOutputMb: positive.default(DEFAULTS.maxOutput),
  /** Who takes a ready workstream: whoever is free, or the agent it is pinned to. */
  distribution: z.enum(['dynamic', 'round-robin']).default(DEFAULTS.distribution),
  /** Whether accepted work is merged into the run's own branch. */
  merge: z.enum(['run', 'none']).default(DEFAULTS.merge),
  /** The tool for every tool step, whatever the step or its agent names; null for theirs. */
  tool: z.string().min(1).nullable().default(null),
  /** Tools that are each given every workstream with a tool step; the best result counts. */
  bestOf: z.array(z.string().min(1)).default([]),
  /** How files are kept apart where the workstream doesn't say; null for worktrees for tool steps, shared else. */
  workspace: z.enum(['shared', 'worktree']).nullable().default(null),
  /** What becomes of a workstream that changed files outside its scope. */
  outsideScope: z.enum(['warn', 'fail', 'ignore']).default(DEFAULTS.outsideScope),
  /** US dollars that the run may cost; null for no limit. Only what tools say of their cost counts. */
  maxCostUsd: z.number().nonnegative().nullable().default(null),
  /** After how many failures of one tool in a row, all of one kind, the rest of its workstreams are skipped; 0 for never. */
  toolCircuit: z.int().min(0).default(DEFAULTS.toolCircuit),
  /**
   * Goes on with an interrupted run: that of this id, or `true` for the latest. Options that are not given are those of
   * that run; `select` names the workstreams to go on with.
   */
  resume: z
    .union([z.literal(true), z.string()])
    .nullable()
    .default(null),
  /**
   * With `resume`: how the process of that run died, where it died by itself. What was in hand is run again one at a
   * time, each in a process of its own. Given by whoever watches over the run.
   */
  afterDeath: z
    .object({
      exitCode: z.int().nullable(),
      signal: z.string().nullable(),
      /** How many processes of the run have died in all. */
      deaths: z.int().min(1),
    })
    .nullable()
    .default(null),
  /**
   * Runs again, as a new run, what failed in the one of this id, or with `true` in the latest that ended. Options that
   * are not given are those of that run; `select` names the workstreams to try again.
   */
  retryFailed: z
    .union([z.literal(true), z.string()])
    .nullable()
    .default(null),
  /** The tools, agents and workspaces of the project. */
  project: projectSchema.prefault({}),
  /** pino level of the workstreams' own loggers. */
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default(DEFAULTS.logLevel),
  /** Asked before each workstream is run; null to run them all. With it, one agent works at a time. */
  ask: z
    .custom<(workstream: Workstream, signal: AbortSignal) => Promise<Decision>>(
      (value) => typeof value === 'function',
    )
    .nullable()
    .default(null),
});

/** Options of a run as a caller gives them; all have defaults. */
export type CoordinatorOptions = z.input<typeof schema>;

/** Options of a run with every default filled in. */
export type RunOptions = z.output<typeof schema>;

/** Fills in defaults. @throws Refusal with exit code 2 for an option that can't be used. */
export function resolveOptions(options: CoordinatorOptions): RunOptions {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(
    2,
    `The option ${issue?.path.join('.') ?? ''} can't be used: ${issue?.message ?? 'invalid'}.`,
  );
}

/** Why options can't be used, without the name of the one; null where they can. */
export function optionProblem(options: CoordinatorOptions): string | null {
  const parsed = schema.safeParse(options);
  return parsed.success ? null : (parsed.error.issues[0]?.message ?? 'invalid');
}

/** The options that a run keeps, so that it can be resumed with the same. */

/**
 * Those that say what is run and how. Where it is recorded, what is shown and who is asked belongs to the one who
 * starts it; tools, named agents and gates are read from the configuration again.
 */
const STORED = [
  'agentsCount',
  'maxAgents',
  'workstreams',
  'reports',
  'select',
  'withDependencies',
  'timeoutSeconds',
  'graceSeconds',
  'agentMemoryMb',
  'maxOutputMb',
  'distribution',
  'merge',
  'tool',
  'bestOf',
  'workspace',
  'outsideScope',
  'maxCostUsd',
  'toolCircuit',
] as const satisfies readonly (keyof RunOptions)[];

/** What is kept of the options of a run. */
export function storedOptions(options: RunOptions): JsonObject {
  return Object.fromEntries(STORED.map((name) => [name, options[name]]));
}

/**
 * The options of an earlier run with those that are given now laid over them. What an earlier version did not store,
 * or this one can't use, has its default.
 */
export function mergeOptions(stored: JsonObject | null, given: CoordinatorOptions): RunOptions {
  const options: Record<string, unknown> = { ...given };
  for (const name of STORED) {
    const value = stored?.[name];
    if (options[name] === undefined && value !== undefined && fits(name, value)) options[name] = value;
  }
  return resolveOptions(options);
}

function fits(name: string, value: unknown): boolean {
  try {
    resolveOptions({ [name]: value });
    return true;
  } catch {
    // A later version may have stored what this one does not know.
    return false;
  }
}
