/**
 * Every option of a run, once: how it is checked, its default, the flag, whether it is stored with the run, and what
 * help and the documentation say. Everything else is derived: the library's options (`options.ts`), flags, variables
 * and keys of the configuration (`src/cli/options.ts`), and the table in docs/quick-reference.md, which
 * `test/app/option-table.test.ts` writes.
 *
 * `millrace --help` loads this, so it must not load zod: a schema is a function of it.
 */
import type { z } from 'zod';
import { parseDuration, parseSize } from '../text/amounts.ts';

type Zod = typeof z;

/**
 * `count` is a whole number or `auto`; `list` is names with commas between them; `run` names a run, or is nothing;
 * `amount` is a number that may have a unit; `threshold` is a number, a percentage, or nothing.
 */
type FlagType = 'string' | 'number' | 'boolean' | 'count' | 'list' | 'run' | 'amount' | 'threshold';

/** An option that the command line has. */
export interface FlagOption {
  /** The flag without its dashes, the key in the configuration file, and, in capitals, the variable. */
  flag: string;
  /** One letter for the same. */
  alias?: string;
  type: FlagType;
  choices?: readonly string[];
  /** The placeholder of the value in the documentation. Default: none. */
  value?: string;
  /** Null for none. */
  default: string | number | boolean | readonly string[] | null;
  /** The heading under which help shows it. Default: that of all others. */
  group?: string;
  help: string;
  /** Markdown for the documentation. Default: `help`. */
  doc?: string;
  /** How the documentation writes the default. Default: as it is. */
  docDefault?: string;
  /** False where no configuration file and no variable sets it. Default: true. */
  configurable?: false;
}

/** One that the library has as well, under the name that is its key here. */
export interface RunOption extends FlagOption {
  schema: (zod: Zod) => z.ZodType;
  /** Whether it is stored with the run, so that the run is resumed with the same. */
  stored: boolean;
}

export const MOST_AGENTS = 1024;
/** More than any machine has. */
const MOST_CPUS = 65_536;
const MOST_MB = 2 ** 40;

/** Most agents of `auto`: for each core, and at least and at most. */
export const AUTO_AGENTS = { eachCore: 8, least: 16, most: 128 } as const;

const count = (z: Zod) => z.int().min(1).max(MOST_AGENTS);
const path = (z: Zod) => z.string().min(1);

/** A number, or a text that a function can read; the text becomes the number. */
const amount = (
  z: Zod,
  parse: (text: string) => number | null,
  most: number,
  expected: string,
  { mayBeZero = false } = {},
) =>
  z
    .union([z.number(), z.string().transform((text) => parse(text) ?? Number.NaN)])
    .refine((value) => (value > 0 || (mayBeZero && value === 0)) && value <= most, `expected ${expected}`)
    .nullable();

const SHARE = /^(?:100|[1-9]?\d)(?:\.\d+)?%$/;

/** Nothing and `true` are 1, and `false` and 0 are none. */
function thresholdOf(text: string): number | string | null {
  if (text === '' || text === 'true') return 1;
  if (text === 'false' || text === '0') return null;
  return SHARE.test(text) ? text : Number(text);
}

const threshold = (z: Zod) =>
  z
    .union([z.number(), z.boolean(), z.string()])
    .nullable()
    .transform((value) => (value === null ? null : thresholdOf(String(value))))
    .refine(
      (value) => value === null || typeof value === 'string' || (Number.isInteger(value) && value > 0),
      'expected a whole number from 1 or a percentage, such as 3 or 5%',
    );

const runSelector = (z: Zod) => z.union([z.literal(true), z.string()]).nullable();

/** Not what names runs already, nor what can be written before `~2` or in a range `A..B`. */
const LABEL = /^(?!latest$|ma-run-)(?!.*\.\.)[\p{L}\p{N}][\p{L}\p{N} ._/:+@#-]{0,99}$/u;
const LABEL_RULE =
  'expected up to 100 letters, digits, spaces and . _ / : + @ # -, the first a letter or a digit, without "..", and neither latest nor what begins with ma-run-';

const DISTRIBUTIONS = ['dynamic', 'round-robin'] as const;
const WORKSPACES = ['shared', 'worktree'] as const;
const MERGES = ['run', 'none'] as const;
const OUTSIDE_SCOPE = ['warn', 'merge', 'park', 'fail', 'ignore'] as const;
const AT_LIMIT = ['wait', 'switch', 'fail'] as const;
const LOG_FORMATS = ['json', 'text'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const TOOLS = 'Coding agents:';
const QUEUE = 'Several machines:';
const OUTPUT = 'Output:';
const FOLDERS = 'Folders:';
const GOING_ON = 'Going on:';

/** How a run is done. */
export const RUN_OPTIONS = {
  /** Number of agents, one worker thread each; `auto` for one that starts with the cores and follows the load. */
  agentsCount: {
    schema: (z: Zod) =>
      z.union([count(z), z.literal('auto')], {
        error: `expected a whole number from 1 to ${MOST_AGENTS}, or auto`,
      }),
    stored: true,
    flag: 'agents',
    alias: 'j',
    type: 'count',
    value: 'N',
    default: 3,
    help: 'Number of agents, one worker thread each; auto: as many as the cores, then as the load allows',
    doc: 'agents, one worker thread each; `auto` [follows the load](number-of-agents.md)',
  },
  /** Most agents of `auto`; null for 8 for each core, at least 16 and at most 128. */
  maxAgents: {
    schema: (z: Zod) => count(z).nullable(),
    stored: true,
    flag: 'max-agents',
    type: 'number',
    value: 'N',
    default: null,
    docDefault: `${AUTO_AGENTS.eachCore} for each core, ${AUTO_AGENTS.least} to ${AUTO_AGENTS.most}`,
    help: `Most agents of --agents auto; default: ${AUTO_AGENTS.eachCore} for each core, at least ${AUTO_AGENTS.least}, at most ${AUTO_AGENTS.most}`,
    doc: 'most agents of `auto`',
  },
  /**
   * Processors that workstreams may reserve together; null for those that this process may use. With a number of its own,
   * a workstream that says nothing of `cpus` reserves one.
   */
  cpus: {
    schema: (z: Zod) => z.number().positive().max(MOST_CPUS).nullable(),
    stored: true,
    flag: 'cpus',
    type: 'number',
    value: 'N',
    default: null,
    docDefault: "this machine's",
    help: 'Processors that workstreams may reserve together; with it, one that does not say reserves one',
    doc: 'processors that workstreams may [reserve](workstream-format.md#processors-and-memory) together; with it, one that does not say reserves one',
  },
  /** Memory in MB that workstreams may reserve together; null for what there is. */
  memory: {
    schema: (z: Zod) => amount(z, parseSize, MOST_MB, 'a size such as 16G, 512M or 16000 (MB)'),
    stored: true,
    flag: 'memory',
    type: 'amount',
    value: 'SIZE',
    default: null,
    docDefault: "this machine's",
    help: 'Memory that workstreams may reserve together, such as 16G or 512M',
    doc: 'memory that workstreams may [reserve](workstream-format.md#processors-and-memory) together, such as `16G` or `512M`',
  },
  /** Seconds after which the run ends; null for no limit. */
  maxTime: {
    schema: (z: Zod) => amount(z, parseDuration, 2_000_000, 'a duration such as 90, 90s, 5m or 1h30m'),
    stored: true,
    flag: 'max-time',
    type: 'amount',
    value: 'DURATION',
    default: null,
    help: 'End the run after this long, such as 90s or 1h30m; the rest can be resumed',
    doc: 'ends the run after this long, such as `90s` or `1h30m`: [the rest is interrupted and can be resumed](consolidation-guide.md#runs-that-end-early)',
  },
  /** After how many failures, or which share of all workstreams, nothing more is started; null for never. */
  failFast: {
    schema: threshold,
    stored: true,
    flag: 'fail-fast',
    type: 'threshold',
    value: '[=N\\|N%]',
    default: null,
    help: 'Start nothing more once this many workstreams, or this share of them, have failed; alone: 1',
    doc: 'starts nothing more once one, or so many, or this share of all workstreams have failed: [the rest is skipped](consolidation-guide.md#runs-that-end-early)',
  },
  /** Hard limit of a workstream that names none, in seconds. */
  timeoutSeconds: {
    schema: (z: Zod) => z.number().positive().max(2_000_000),
    stored: true,
    flag: 'timeout',
    type: 'number',
    value: 'S',
    default: 3_600,
    help: 'Hard limit in seconds of a workstream that names none',
    doc: 'hard limit of a workstream that names none',
  },
  /** How long a process may take to end after SIGTERM before it is killed, in seconds. */
  graceSeconds: {
    schema: (z: Zod) => z.number().nonnegative().max(3_600),
    stored: true,
    flag: 'grace',
    type: 'number',
    value: 'S',
    default: 2,
    help: 'Seconds between SIGTERM and SIGKILL for a process that is stopped',
    doc: 'seconds between `SIGTERM` and `SIGKILL` for a process that is stopped',
  },
  /** Limit of each thread's JavaScript heap in MB; null for Node's own. Buffers are not in it. */
  agentMemoryMb: {
    schema: (z: Zod) => z.int().min(16).nullable(),
    stored: true,
    flag: 'agent-memory',
    type: 'number',
    value: 'MB',
    default: null,
    docDefault: "Node's own",
    help: "Limit in MB of each agent's JavaScript heap; buffers are not in it",
    doc: 'JavaScript heap of each agent; buffers are in it only where a workstream has a [process of its own](workstream-format.md#isolation-and-memory)',
  },
  /** Largest output of one step in MB. */
  maxOutputMb: {
    schema: (z: Zod) => z.number().positive(),
    stored: true,
    flag: 'max-output',
    type: 'number',
    value: 'MB',
    default: 1_000,
    help: 'Largest output of one step in MB',
    doc: 'largest output of one step; what child processes of a module print into inherited output does not count',
  },
  /** Whether results of earlier runs are taken over; they are kept all the same. */
  cache: {
    schema: (z: Zod) => z.boolean(),
    stored: true,
    flag: 'cache',
    type: 'boolean',
    default: true,
    help: 'Take over results of earlier runs where the workstream has a cache and nothing changed; --no-cache: run all',
    doc: 'takes over results of workstreams that have a [`cache`](caching.md) and of which nothing has changed; `--no-cache` executes them all, and keeps their results',
  },
  /** Most that kept results and their files may take, in MB of 10^6 bytes. */
  cacheMb: {
    schema: (z: Zod) => z.number().positive(),
    stored: true,
    flag: 'cache-size',
    type: 'number',
    value: 'MB',
    default: 10_000,
    help: 'Most disk space in MB for kept results; those that were not used for longest go first',
    doc: 'most disk space for kept results; those that were not used for longest go first',
  },
  /** Who takes a ready workstream: the next free agent, or the agent it is pinned to. */
  distribution: {
    schema: (z: Zod) => z.enum(DISTRIBUTIONS),
    stored: true,
    flag: 'distribution',
    type: 'string',
    choices: DISTRIBUTIONS,
    default: 'dynamic',
    help: 'The next free agent takes the next workstream, or each agent has its own',
    doc: 'or `round-robin`: each workstream belongs to one agent',
  },
  /** The tool for every tool step, whatever the step or its agent names; null for theirs. */
  tool: {
    schema: (z: Zod) => z.string().min(1).nullable(),
    stored: true,
    flag: 'tool',
    type: 'string',
    value: 'NAME',
    default: null,
    group: TOOLS,
    help: 'Give every tool step to this tool',
    doc: 'executes every tool step with this tool',
  },
  /** Tools that are each given every workstream with a tool step; the best result counts. */
  bestOf: {
    schema: (z: Zod) => z.array(z.string().min(1)),
    stored: true,
    flag: 'best-of',
    type: 'list',
    value: 'A,B',
    default: [],
    group: TOOLS,
    help: 'Give each workstream to all of these tools (a,b,…) and keep the best result',
    doc: 'has each of these do every workstream with a tool step, and keeps the best',
  },
  /** How files are kept apart where the workstream doesn't say; null for worktrees for tool steps, shared else. */
  workspace: {
    schema: (z: Zod) => z.enum(WORKSPACES).nullable(),
    stored: true,
    flag: 'workspace',
    type: 'string',
    choices: WORKSPACES,
    default: null,
    group: TOOLS,
    help: 'Where workstreams work that do not say; default: worktree for tool steps, shared else',
    doc: '`shared` or `worktree` for workstreams that do not say',
  },
  /** Whether accepted work is merged into the run's own branch. */
  merge: {
    schema: (z: Zod) => z.enum(MERGES),
    stored: true,
    flag: 'merge',
    type: 'string',
    choices: MERGES,
    default: 'run',
    group: TOOLS,
    help: "Merge accepted work into the run's own branch, or leave it on its branches",
    doc: "merges accepted work into the run's own branch; `none` only finds conflicts",
  },
  /** What becomes of a workstream that changed files outside its scope. */
  outsideScope: {
    schema: (z: Zod) => z.enum(OUTSIDE_SCOPE),
    stored: true,
    flag: 'outside-scope',
    type: 'string',
    choices: OUTSIDE_SCOPE,
    default: 'warn',
    group: TOOLS,
    help: 'What becomes of work on files outside files_scope',
    doc: 'work on files outside `files_scope` is merged with a warning (`warn`, `merge`), stays on its branch (`park`), fails (`fail`), or is merged (`ignore`)',
  },
  /** US dollars that the run may cost; null for no limit. Only what tools say of their cost counts. */
  maxCostUsd: {
    schema: (z: Zod) => z.number().nonnegative().nullable(),
    stored: true,
    flag: 'max-cost-usd',
    type: 'number',
    value: 'N',
    default: null,
    group: TOOLS,
    help: 'Most that the run may cost in US dollars, as far as tools say what they cost',
    doc: 'most that the run may cost, as far as tools say',
  },
  /** What becomes of a workstream whose tool meets a usage limit that passes by itself. */
  atLimit: {
    schema: (z: Zod) => z.enum(AT_LIMIT),
    stored: true,
    flag: 'at-limit',
    type: 'string',
    choices: AT_LIMIT,
    default: 'wait',
    group: TOOLS,
    help: "Where a tool is at its usage limit: wait until it passes, switch to the tool's fallback, or fail",
    doc: "where a tool is at its [usage limit](coding-agents.md#usage-limits): `wait` until it passes, `switch` to the tool's `fallback`, or `fail`",
  },
  /** Seconds that the run may wait for usage limits with nothing else to do; null for as long as it takes. */
  maxWait: {
    schema: (z: Zod) =>
      amount(z, parseDuration, 2_000_000, 'a duration such as 0, 90s, 5m or 1h30m', { mayBeZero: true }),
    stored: true,
    flag: 'max-wait',
    type: 'amount',
    value: 'DURATION',
    default: null,
    group: TOOLS,
    help: 'End the run with exit code 5 where all that is left waits for usage limits for longer than this',
    doc: 'ends the run with exit code 5 where all that is left waits for [usage limits](coding-agents.md#usage-limits) for longer than this; the rest can be resumed',
  },
  /** After how many failures of one tool in a row, all of one kind, the rest of its workstreams are skipped; 0 for never. */
  toolCircuit: {
    schema: (z: Zod) => z.int().min(0),
    stored: true,
    flag: 'tool-circuit',
    type: 'number',
    value: 'N',
    default: 3,
    group: TOOLS,
    help: 'Failures of a tool in a row, all of one kind, after which its workstreams are skipped; 0: never',
    doc: 'failures of one kind in a row after which the other workstreams of a tool are skipped; 0 for never',
  },
} as const satisfies Record<string, RunOption>;

const SOURCE = /^(?:snapshot|shared|git:.+)$/;
/** A password in an address would be stored with the run. */
const WITH_PASSWORD = /\/\/[^/@]*:[^/@]*@/;

/** Execution on other machines. */
export const QUEUE_OPTIONS = {
  /** The Redis through which hosts execute the workstreams: `redis://`, `rediss://` or `unix:///`; null for this machine. */
  queue: {
    schema: (z: Zod) => z.string().min(1).nullable(),
    stored: false,
    flag: 'queue',
    type: 'string',
    value: 'URL',
    default: null,
    group: QUEUE,
    help: 'Execute on the hosts of this queue: redis://…, rediss://… or unix:///…',
    doc: 'executes on the [hosts](distributed.md) of this queue: `redis://`, `rediss://` or `unix:///`; a run that is resumed needs it again, and `none` executes its rest here',
  },
  /** File with the key of the queue; null for the variable `MILLRACE_QUEUE_KEY`. */
  queueKeyFile: {
    schema: (z: Zod) => path(z).nullable(),
    stored: false,
    flag: 'queue-key-file',
    type: 'string',
    value: 'FILE',
    default: null,
    docDefault: '`MILLRACE_QUEUE_KEY`',
    group: QUEUE,
    help: 'File with the key of the queue; without it: the variable MILLRACE_QUEUE_KEY',
    doc: 'file with the key that everything in the queue is sealed with',
  },
  /** File with the certificates, in PEM, by which the server's is checked; null for those of the system. */
  queueCa: {
    schema: (z: Zod) => path(z).nullable(),
    stored: false,
    flag: 'queue-ca',
    type: 'string',
    value: 'FILE',
    default: null,
    docDefault: "the system's",
    group: QUEUE,
    help: "Certificates that a server of rediss:// is checked by, instead of the system's",
    doc: 'certificates in PEM that the server of `rediss://` is checked by',
  },
  /** Where hosts get the project's files from. */
  source: {
    schema: (z: Zod) =>
      z
        .custom<'snapshot' | 'shared' | `git:${string}`>(
          (value) => typeof value === 'string' && SOURCE.test(value),
          'expected snapshot, shared or git:URL',
        )
        .refine(
          (value) => !WITH_PASSWORD.test(value),
          'expected a URL without a password: give that to git on the hosts',
        ),
    stored: true,
    flag: 'source',
    type: 'string',
    value: 'SOURCE',
    default: 'snapshot',
    group: QUEUE,
    help: 'Where hosts get the files from: snapshot, git:URL, or shared for the same path on each',
    doc: 'where hosts get the files from: a `snapshot` of what git does not ignore, `git:URL`, or `shared` for the same path on each',
  },
  /** How long what no host can execute waits for the first that can, in seconds. */
  waitForWorkers: {
    schema: (z: Zod) => amount(z, parseDuration, 2_000_000, 'a duration such as 90, 90s, 5m or 1h30m'),
    stored: true,
    flag: 'wait-for-workers',
    type: 'amount',
    value: 'DURATION',
    default: 60,
    group: QUEUE,
    help: 'How long to wait for the first host that provides what workstreams require',
    doc: 'how long workstreams wait for the first host that provides what they [require](workstream-format.md) before they fail',
  },
} as const satisfies Record<string, RunOption>;

/** What a run is recorded as. */
export const LABEL_OPTION = {
  /** Name that runs of one kind share: it names the newest of them, and they are compared with each other. */
  label: {
    schema: (z: Zod) => z.string().regex(LABEL, LABEL_RULE).nullable(),
    stored: false,
    flag: 'label',
    type: 'string',
    value: 'NAME',
    default: null,
    help: 'Name for runs of this kind, such as nightly; it names the newest of them, NAME~1 the one before',
    doc: 'name for runs of this kind, such as `nightly`: it names the newest of them, `nightly~1` the one before it, and a run is compared with earlier ones of its label. A run that is resumed keeps the one it has',
  },
} as const satisfies Record<string, RunOption>;

/** How a run is shown, and written beside the database. */
export const OUTPUT_OPTIONS = {
  dryRun: {
    flag: 'dry-run',
    alias: 'n',
    type: 'boolean',
    default: false,
    help: 'Print the plan, run nothing, write nothing',
    doc: 'prints the plan, runs nothing, writes nothing',
  },
  ask: {
    flag: 'ask',
    type: 'boolean',
    default: false,
    help: 'Go through the workstreams one by one: run, skip, mark as done, quit',
    doc: 'asks before each workstream: run, skip, mark as done, quit',
  },
  junit: {
    flag: 'junit',
    type: 'string',
    value: 'FILE',
    default: null,
    group: OUTPUT,
    help: 'Also write the results as JUnit XML to this file; - is standard output',
    doc: 'also writes the results as JUnit XML; `-` is standard output',
  },
  /** Whether the report is also written as an HTML page. */
  html: {
    schema: (z: Zod) => z.boolean(),
    stored: false,
    flag: 'html',
    type: 'boolean',
    default: true,
    docDefault: 'on',
    group: OUTPUT,
    help: 'Also write the report as an HTML page; --no-html leaves it out',
    doc: 'also writes the report as an [HTML page](page.md); `--no-html` leaves it out',
  },
  /** pino level of the workstreams' own loggers. */
  logLevel: {
    schema: (z: Zod) => z.enum(LOG_LEVELS),
    stored: false,
    flag: 'log-level',
    type: 'string',
    choices: LOG_LEVELS,
    default: 'info',
    group: OUTPUT,
    help: 'Least severe log lines to write',
    doc: '`trace` to `silent`',
  },
  logFile: {
    flag: 'log-file',
    type: 'string',
    value: 'FILE',
    default: null,
    group: OUTPUT,
    help: 'Also write the log to this file',
    doc: 'also writes [the log](log.md) there, and goes on in a new file when this one is renamed or removed; a pipe that something reads is fine',
  },
  logFormat: {
    flag: 'log-format',
    type: 'string',
    choices: LOG_FORMATS,
    default: 'json',
    group: OUTPUT,
    help: 'Write the log as one JSON object a line, or as lines for people',
    doc: 'or `text`: how [the log](log.md) is written, on standard output and into a file',
  },
  notify: {
    flag: 'notify',
    type: 'string',
    value: 'URL',
    default: null,
    group: OUTPUT,
    help: 'Tell a webhook when the run has ended; several with commas between them',
    doc: '[tells a webhook](dashboard.md#notifications) when the run has ended; several with commas between them',
  },
  dashboard: {
    flag: 'dashboard',
    type: 'boolean',
    default: false,
    group: OUTPUT,
    help: 'Show the run in the browser while it is under way: prints an address on standard error',
    doc: 'shows the run in the browser while it is under way: prints the address of a [dashboard](dashboard.md) on standard error',
  },
} as const satisfies Record<string, FlagOption | RunOption>;

/** Going on with an earlier run. */
export const RESUME_OPTIONS = {
  /**
   * Goes on with an interrupted run: the one of this name, or `true` for the latest. Options that are not given are those of
   * that run; `select` names the workstreams to go on with.
   */
  resume: {
    schema: runSelector,
    stored: false,
    flag: 'resume',
    type: 'run',
    value: '[RUN]',
    default: null,
    configurable: false,
    group: GOING_ON,
    help: 'Go on with an interrupted run: this one, or the latest; options are those it had',
    doc: 'continues an interrupted run, by default the latest; other flags override the options that the run had, the configuration does not',
  },
  /**
   * Runs again, as a new run, what failed in the one of this name, or with `true` in the latest that ended. Options that
   * are not given are those of that run; `select` names the workstreams to try again.
   */
  retryFailed: {
    schema: runSelector,
    stored: false,
    flag: 'retry-failed',
    type: 'run',
    value: '[RUN]',
    default: null,
    configurable: false,
    group: GOING_ON,
    help: 'Run again what failed in this run, or in the latest that ended',
    doc: 'runs again, as a new run, what failed in an earlier one, the latest that ended without a name; options as for `--resume`',
  },
  /** With `retryFailed`: only what failed with the error pattern of this id, or the beginning of it. */
  pattern: {
    schema: (z: Zod) => z.string().min(1).nullable(),
    stored: false,
    flag: 'pattern',
    type: 'string',
    value: 'ID',
    default: null,
    configurable: false,
    group: GOING_ON,
    help: 'With --retry-failed: only what failed with this error pattern, such as p-1a2b3c4d',
    doc: 'with `--retry-failed`: only what failed with the error pattern of this id, or the beginning of it, as `millrace errors` shows it',
  },
} as const satisfies Record<string, RunOption>;

/** Which workstreams. */
export const SELECTION_OPTIONS = {
  /** Whether selected workstreams bring along what they depend on. */
  withDependencies: {
    schema: (z: Zod) => z.boolean(),
    stored: true,
    flag: 'with-dependencies',
    type: 'boolean',
    default: false,
    help: 'Bring along what the named workstreams depend on',
    doc: 'brings along what the named workstreams depend on',
  },
} as const satisfies Record<string, RunOption>;

/** Prints JSON instead of text. */
export const JSON_OPTION = {
  json: {
    flag: 'json',
    type: 'boolean',
    default: false,
    help: 'Print one JSON document',
    doc: 'prints one JSON document, and the log on standard error',
  },
} as const satisfies Record<string, FlagOption>;

/** Where things are. */
export const FOLDER_OPTIONS = {
  /** Folder of workstream files. */
  workstreams: {
    schema: path,
    stored: true,
    flag: 'workstreams',
    type: 'string',
    value: 'DIR',
    default: 'workstreams',
    group: FOLDERS,
    help: 'Folder of workstream files',
    doc: 'where the workstream files are',
  },
  /** Folder for the database, logs and compiled modules. */
  state: {
    schema: path,
    stored: false,
    flag: 'state',
    type: 'string',
    value: 'DIR',
    default: '.state',
    group: FOLDERS,
    help: 'Folder for the database and the logs',
    doc: 'database, logs, compiled modules',
  },
  /** Folder for reports. */
  reports: {
    schema: path,
    stored: true,
    flag: 'reports',
    type: 'string',
    value: 'DIR',
    default: 'reports',
    group: FOLDERS,
    help: 'Folder for reports',
    doc: 'reports',
  },
} as const satisfies Record<string, RunOption>;

export const OPTION_TABLE = {
  ...RUN_OPTIONS,
  ...QUEUE_OPTIONS,
  ...LABEL_OPTION,
  ...FOLDER_OPTIONS,
  ...SELECTION_OPTIONS,
  ...RESUME_OPTIONS,
  ...OUTPUT_OPTIONS,
  ...JSON_OPTION,
} as const satisfies Record<string, FlagOption | RunOption>;

type OptionTable = typeof OPTION_TABLE;

/** Those that the library has too, with the type of their value. */
export type TableValues = {
  [Name in keyof OptionTable as OptionTable[Name] extends RunOption
    ? Name
    : never]: OptionTable[Name] extends RunOption ? z.output<ReturnType<OptionTable[Name]['schema']>> : never;
};

/** Whether the library has it. */
export const isRunOption = (option: FlagOption): option is RunOption => 'schema' in option;
