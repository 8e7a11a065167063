/** Every option of the command line, once. This file must stay quick to load: help shows it. */
import { DEFAULTS } from '../app/options.ts';
import { UsageError } from './usage-error.ts';
import type { Options } from 'yargs';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const option = <const O extends Options>(definition: O): O & { requiresArg: boolean } => ({
  ...definition,
  requiresArg: definition.type !== 'boolean',
});

/** Of an option that is given more than once the last one counts. */
export const lastGiven = (value: unknown): unknown => (Array.isArray(value) ? value.at(-1) : value);

/** A number, or `auto`; what is neither is refused as no number where it is used. */
function agentsArgument(value: unknown): number | 'auto' {
  const given = lastGiven(value);
  return given === 'auto' ? 'auto' : Number(given);
}

/** Where things are; every command has these. */
export const folderOptions = {
  workstreams: option({
    type: 'string',
    default: DEFAULTS.workstreams,
    describe: 'Folder of workstream files',
    group: 'Folders:',
  }),
  state: option({
    type: 'string',
    default: DEFAULTS.state,
    describe: 'Folder for the database and the logs',
    group: 'Folders:',
  }),
  reports: option({
    type: 'string',
    default: DEFAULTS.reports,
    describe: 'Folder for reports',
    group: 'Folders:',
  }),
};

/** Prints JSON instead of text. */
export const jsonOption = {
  json: option({ type: 'boolean', default: false, describe: 'Print one JSON document' }),
};

/** Which workstreams. */
export const selectionOptions = {
  'with-dependencies': option({
    type: 'boolean',
    default: false,
    describe: 'Bring along what the named workstreams depend on',
  }),
};

/** Going on with an earlier run. A configuration can't ask for that. */
export const resumeOptions = {
  resume: {
    type: 'string',
    describe: 'Go on with an interrupted run: that of this id, or the latest; options are those it had',
    group: 'Going on:',
  },
  'retry-failed': {
    type: 'string',
    describe: 'Run again what failed in the run of this id, or in the latest that ended',
    group: 'Going on:',
  },
} as const satisfies Record<string, Options>;

/** How a run is done. `plan` has these as well. */
export const runOptions = {
  agents: {
    alias: 'j',
    default: DEFAULTS.agents,
    describe: 'Number of agents, one worker thread each; auto: as many as the cores, then as the load allows',
    requiresArg: true,
    coerce: agentsArgument,
  },
  'max-agents': option({
    type: 'number',
    describe: 'Most agents of --agents auto; default: 8 for each core, at least 16, at most 128',
  }),
  timeout: option({
    type: 'number',
    default: DEFAULTS.timeout,
    describe: 'Hard limit in seconds of a workstream that names none',
  }),
  grace: option({
    type: 'number',
    default: DEFAULTS.grace,
    describe: 'Seconds that what is told to stop gets to do so',
  }),
  'agent-memory': option({
    type: 'number',
    describe: "Limit in MB of each agent's JavaScript heap; buffers are not in it",
  }),
  'max-output': option({
    type: 'number',
    default: DEFAULTS.maxOutput,
    describe: 'Largest output of one step in MB',
  }),
  distribution: option({
    choices: ['dynamic', 'round-robin'] as const,
    default: DEFAULTS.distribution,
    describe: 'Whoever is free takes the next workstream, or each has its own',
  }),
  tool: option({
    type: 'string',
    describe: 'Give every tool step to this tool',
    group: 'Coding agents:',
  }),
  'best-of': option({
    type: 'string',
    describe: 'Give each workstream to all of these tools (a,b,…) and keep the best result',
    group: 'Coding agents:',
  }),
  workspace: option({
    choices: ['shared', 'worktree'] as const,
    describe: 'Where workstreams work that do not say; default: worktree for tool steps, shared else',
    group: 'Coding agents:',
  }),
  merge: option({
    choices: ['run', 'none'] as const,
    default: DEFAULTS.merge,
    describe: "Merge accepted work into the run's own branch, or leave it on its branches",
    group: 'Coding agents:',
  }),
  'outside-scope': option({
    choices: ['warn', 'fail', 'ignore'] as const,
    default: DEFAULTS.outsideScope,
    describe: 'What becomes of work on files outside files_scope',
    group: 'Coding agents:',
  }),
  'max-cost-usd': option({
    type: 'number',
    describe: 'Most that the run may cost in US dollars, as far as tools say what they cost',
    group: 'Coding agents:',
  }),
  'tool-circuit': option({
    type: 'number',
    default: DEFAULTS.toolCircuit,
    describe:
      'Failures of a tool in a row, all of one kind, after which its workstreams are skipped; 0: never',
    group: 'Coding agents:',
  }),
};

/** How a run is shown and recorded; nothing of it changes what is run. */
export const outputOptions = {
  'dry-run': option({
    alias: 'n',
    type: 'boolean',
    default: false,
    describe: 'Print the plan, run nothing, write nothing',
  }),
  ask: option({
    type: 'boolean',
    default: false,
    describe: 'Go through the workstreams one by one: run, skip, mark as done, quit',
  }),
  junit: option({
    type: 'string',
    describe: 'Also write the results as JUnit XML to this file; - is standard output',
    group: 'Output:',
  }),
  'log-level': option({
    choices: LOG_LEVELS,
    default: DEFAULTS.logLevel,
    describe: 'Least severe log lines to write',
    group: 'Output:',
  }),
  'log-file': option({ type: 'string', describe: 'Also write the log to this file', group: 'Output:' }),
};

/** What may stand for an option in a configuration file; `count` is a number or `auto`. */
export type OptionKind = 'string' | 'number' | 'boolean' | 'count';

/** Names of all options that a configuration file or the environment may set, with the type of their value. */
export function configurableOptions(): Map<string, OptionKind> {
  const all: Record<string, Options> = {
    ...folderOptions,
    ...jsonOption,
    ...selectionOptions,
    ...runOptions,
    ...outputOptions,
  };
  return new Map(
    Object.entries(all).map(([name, { type }]) => [
      name,
      name === 'agents' ? 'count' : type === 'number' || type === 'boolean' ? type : 'string',
    ]),
  );
}

const SECONDS: Record<string, number> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };

/** Seconds of `90`, `90s`, `5m`, `1h30m`, `30d`. @throws UsageError for anything else */
export function durationOf(option: string, text: string): number {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(?:\d+(?:\.\d+)?[wdhms])+$/.test(trimmed))
    throw new UsageError(`${option}: "${text}" is no duration. It reads like 90, 90s, 5m, 1h30m or 30d.`);
  let seconds = 0;
  for (const [, number = '', unit = ''] of trimmed.matchAll(/([\d.]+)([wdhms])/g))
    seconds += Number(number) * (SECONDS[unit] ?? 0);
  return seconds;
}
