/**
 * The workstream as the rest of Millrace sees it: checked, with defaults filled in, matrix expanded and
 * every path absolute. What a person writes is described in `workstream-file.ts`.
 */
import type { Json, JsonObject } from './json.ts';
import type { ReviewRequest } from './policy/review.ts';
import type { Containing, Network, Sandbox } from './policy/sandbox.ts';

/** What every kind of step may have. */
interface StepBase {
  /** The step's own `id`, or `step-N` counted from 1. */
  id: string;
  /** Seconds after which this step fails with `timed-out`; null for no limit of its own. */
  timeoutSeconds: number | null;
  /** Environment variables added for this step. */
  env: Record<string, string>;
  /** Absolute folder to run in; null for the folder Millrace was started in. */
  cwd: string | null;
  /** When true, a failure of this step is kept as a warning and the next step runs. */
  continueOnError: boolean;
}

/** Calls a function of an ES module in the worker thread. */
export interface ModuleStep extends StepBase {
  kind: 'module';
  /** Absolute path of the module's file. */
  module: string;
  /** Name of the exported function. */
  export: string;
  input: Json;
}

/** Runs one or more lines through a shell in a child process. */
export interface RunStep extends StepBase, Containing {
  kind: 'run';
  run: string;
  /** Null for the shell of the project. */
  shell: Shell | null;
}

/** Runs a program with its arguments in a child process, without a shell. */
export interface CommandStep extends StepBase, Containing {
  kind: 'command';
  command: [string, ...string[]];
}

/** Gives tasks to a coding agent's command line. */
export interface ToolStep extends StepBase, Containing {
  kind: 'tool';
  tool: string;
  tasks: string[];
  /** The whole prompt, where it is not built from the workstream and the tasks. */
  prompt?: string | undefined;
}

export type Step = ModuleStep | RunStep | CommandStep | ToolStep;

/** A dependency: `completed` is met by completed work only, `finished` by any final status. */
export interface Dependency {
  id: string;
  when: 'completed' | 'finished';
}

/** A line for the shell that decides by its exit code. */
export interface AcceptanceCommand {
  kind: 'run';
  text: string;
  /** Null for the shell of the project. */
  shell: Shell | null;
  /** What to call it; null for the line itself. */
  name: string | null;
  /** Seconds after which it fails; null for no limit of its own. */
  timeoutSeconds: number | null;
  /** Environment variables added for it. */
  env: Record<string, string>;
  /** Folder to run in, relative to the workspace; null for the workspace. */
  cwd: string | null;
  /** Path or glob of the result files that it writes, relative to the workspace; null for none. */
  report: string | null;
}

/** One acceptance test. `text` leaves open whether it is a command or prose; that is decided where it runs. */
export type AcceptanceTest = AcceptanceCommand | { kind: 'manual' | 'text'; text: string };

/** The kinds of test gate. What each runs is configured. */
export const GATE_TYPES = ['GATE_LINT', 'GATE_UNIT', 'GATE_INTEGRATION', 'GATE_SECURITY'] as const;
type GateType = (typeof GATE_TYPES)[number];

/** A gate that the workstream has to pass: an acceptance test whose command is configured by type. */
export interface TestGate {
  type: GateType;
  /** False: where no command is configured there is nothing to check. Default: true. */
  required: boolean;
  /** False: a failure is a warning. Default: true. */
  blocking: boolean;
}

/** When it is tried again, and when no more. */
export interface CircuitBreaker {
  /** How often it is tried in all. Default: 1. */
  maxAttempts: number;
  /** No more attempts once the same error, in its normalised form, came this many times in a row; null for never. */
  maxErrorRepeats: number | null;
  /** No more attempts once the same content came back this many times; null for never. */
  oscillationThreshold: number | null;
  /** Pause before a retry in seconds. Default: 0. */
  cooldownSeconds: number;
}

/** What another attempt starts from. */
export const ON_RETRY = ['fresh', 'continue'] as const;

type OnRetry = (typeof ON_RETRY)[number];

/** What a result depends on beside the definition, the modules and the outputs of its dependencies. */
export interface CacheInputs {
  /** Paths and globs relative to the folder Millrace was started in; those that begin with `!` leave files out. */
  inputs: string[];
  /** Names of environment variables. */
  env: string[];
}

/** Where in the workstream folder a definition stands. */
export interface Source {
  /** Path of the file as messages show it: relative to the folder Millrace was started in, if below it. */
  file: string;
  /** Index in the file's array; 0 for a file with one object. */
  position: number;
}

/**
 * One unit of work, ready to be planned. Its fields may be accessors of a class, which a spread leaves out: copy it with
 * `copyOf`.
 */
export interface Workstream {
  id: string;
  /** The `id` before the matrix was expanded; equal to `id` without a matrix. */
  base: string;
  title: string;
  description: string | null;
  kind: string | null;
  /** Greater is earlier; `normal` is 0. */
  priority: number;
  dependsOn: Dependency[];
  steps: Step[];
  acceptanceTests: AcceptanceTest[];
  /** Checked after the acceptance tests. */
  testGates: TestGate[];
  /** Paths and globs that it owns in the tree it shares with others: `files_scope` and `files_create` together. */
  scopes: string[];
  conflictGroup: string | null;
  /** False when nothing else may run beside it. */
  parallelOk: boolean;
  /** The paths and globs that it may change, and those that it will create. */
  filesScope: string[];
  filesCreate: string[];
  circuitBreaker: CircuitBreaker;
  /** Run in reverse order when it has failed for good. */
  compensation: (RunStep | CommandStep)[];
  /** How its files are kept apart; null for what the run says, and once that is settled for `shared`. */
  workspace: 'shared' | 'worktree' | null;
  /**
   * Whether another attempt goes on in the workspace, and with the sessions of its tools, or begins afresh; null for going
   * on only after a usage limit, a time limit and an interruption.
   */
  onRetry: OnRetry | null;
  /** By whom its work is reviewed before it is accepted; null for nobody. */
  review: ReviewRequest | null;
  /** US dollars that all its attempts together may cost; null for no limit of its own. */
  maxCostUsd: number | null;
  /** The stage it belongs to, from 1: it starts when all work of lower ones has ended; null for none. */
  gate: number | null;
  /** Which agents may take it; null for what the configuration says of its id. */
  track: string | null;
  /** Hard limit for one attempt in seconds; null for the run's own. */
  timeoutSeconds: number | null;
  /** Where it is executed; `process` is one of its own. */
  isolation: 'thread' | 'process';
  /** Memory that its process may use in MB; null for no limit of its own. With one it has a process. */
  memoryLimitMb: number | null;
  /** Processors that it reserves while it is executed, a fraction allowed; null where it says nothing. */
  cpus: number | null;
  /** Memory in MB that it reserves while it is executed; null where it says nothing: then that is `memoryLimitMb`. */
  memoryMb: number | null;
  /** Labels that a host has to provide to execute it, sorted; they matter in runs over a queue only. */
  requires: string[];
  /** By what it is decided whether an earlier result is taken over; null where it is always executed. */
  cache: CacheInputs | null;
  /** How its acceptance tests, gates and compensation are contained; null for as its first contained step. */
  sandbox: Sandbox | null;
  network: Network | null;
  /** The values of this member of a matrix; null without one. */
  matrix: JsonObject | null;
  /** Paths and globs of the files that it makes, relative to its workspace. */
  outputs: string[];
  /** Everything else that stood in the definition, as it stood there. */
  extra: JsonObject;
  source: Source;
  /** SHA-256 of the definition as it stood in its file, with the matrix values; changes when it is edited. */
  hash: string;
}

/** A copy in which every field is a property of its own, with other values for some of them. */
export const copyOf = (from: Workstream, changes: Partial<Workstream> = {}): Workstream => ({
  id: from.id,
  base: from.base,
  title: from.title,
  description: from.description,
  kind: from.kind,
  priority: from.priority,
  dependsOn: from.dependsOn,
  steps: from.steps,
  acceptanceTests: from.acceptanceTests,
  testGates: from.testGates,
  scopes: from.scopes,
  conflictGroup: from.conflictGroup,
  parallelOk: from.parallelOk,
  filesScope: from.filesScope,
  filesCreate: from.filesCreate,
  circuitBreaker: from.circuitBreaker,
  compensation: from.compensation,
  workspace: from.workspace,
  onRetry: from.onRetry,
  review: from.review,
  maxCostUsd: from.maxCostUsd,
  gate: from.gate,
  track: from.track,
  timeoutSeconds: from.timeoutSeconds,
  isolation: from.isolation,
  memoryLimitMb: from.memoryLimitMb,
  cpus: from.cpus,
  memoryMb: from.memoryMb,
  requires: from.requires,
  cache: from.cache,
  sandbox: from.sandbox,
  network: from.network,
  matrix: from.matrix,
  outputs: from.outputs,
  extra: from.extra,
  source: from.source,
  hash: from.hash,
  ...changes,
});

/** The shells that a line may be run by. */
export const SHELLS = ['sh', 'bash'] as const;

export type Shell = (typeof SHELLS)[number];

/** Name of the environment variable that carries a matrix value: `node-version` is in `MATRIX_NODE_VERSION`. */
export function variableName(name: string): string {
  return `MATRIX_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

/** The values of a member of a matrix as environment variables: text as it is, everything else as JSON. */
export function matrixVariables(member: JsonObject | null): Record<string, string> {
  return Object.fromEntries(
    Object.entries(member ?? {}).map(([name, value]) => [
      variableName(name),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

/** Processors, and memory in MB (2^20 bytes); null for none. */
export interface Reservation {
  cpus: number | null;
  memoryMb: number | null;
}

/** What a workstream says that it needs; null where it says nothing of it. */
export function declaredReservation({
  cpus,
  memoryMb,
  memoryLimitMb,
}: Pick<Workstream, 'cpus' | 'memoryMb' | 'memoryLimitMb'>): Reservation | null {
  const memory = memoryMb ?? memoryLimitMb;
  return cpus === null && memory === null ? null : { cpus, memoryMb: memory };
}

/** Whether all that it does is done in an agent's thread: nothing of it is a child process. */
export const runsInThread = ({ isolation, steps, acceptanceTests, testGates }: Workstream): boolean =>
  isolation === 'thread' &&
  acceptanceTests.length + testGates.length === 0 &&
  steps.every(({ kind }) => kind === 'module');
