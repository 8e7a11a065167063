/** What is known about a stored run: what the queries of the store return and reports are made of. */
import type { AgentResult, FinalStatus } from './agent-result.ts';
import type { Capped } from './capped.ts';
import type { ChangedFile } from './changes.ts';
import type { Failure } from './failure.ts';
import type { Checkout, RunComparison } from './history/history.ts';
import type { ErrorPattern } from './history/pattern.ts';
import type { Json } from './json.ts';
import type { MadeFile, MetricSeries, TestCounts } from './outcome.ts';
import type { AgentsChange, ScalingSummary } from './scaling.ts';
import type {
  Competition,
  MergedWork,
  Retried,
  ReviewedWork,
  ToolPerformance,
  ToolTask,
} from './tool-record.ts';
import type { Reservation } from './workstream.ts';

/** A run that is not `ended` is under way, or its process died (`interrupted`). */
export type RunState = 'running' | 'ended' | 'interrupted';

export interface Totals {
  workstreams: number;
  completed: number;
  failed: number;
  skipped: number;
  /** Of those that completed: how many were taken over from earlier runs and not executed. */
  takenOver: number;
  /** How many seconds those had taken, together. */
  savedSeconds: number;
  filesModified: number;
  commits: number;
  errors: number;
  warnings: number;
}

/** What one agent did in a run. Durations in seconds; a rate or statistic of nothing is null. */
export interface AgentPerformance {
  agentId: string;
  workstreams: number;
  completed: number;
  failed: number;
  /** completed / (completed + failed), 0 to 1. */
  successRate: number | null;
  busySeconds: number;
  /** Of an agent that was added or removed during the run, only while it was there. */
  idleSeconds: number;
  /** CPU time of its thread, in seconds; null where the platform does not measure it. */
  cpuSeconds: number | null;
  /** busy / wall time of the run, or the time in which it was there, 0 to 1. */
  utilisation: number | null;
  averageSeconds: number | null;
  medianSeconds: number | null;
  p95Seconds: number | null;
  /** Workstreams for each hour of wall time. */
  perHour: number | null;
}

/** How fast the run was, and how fast it could have been. */
export interface Speed {
  /** Seconds from start to the last result; of a run that was resumed all sessions together, without the pauses. */
  wallSeconds: number;
  /** Sum of all durations. */
  busySeconds: number;
  /**
   * The work: the durations, for workstreams that run in threads only without the time that these waited for a
   * processor.
   */
  oneAgentSeconds: number;
  /** Time in which no agent worked, such as at the start; a run with one agent has it too. Null where it is not known. */
  overheadSeconds: number | null;
  /** Longest chain of dependencies by measured duration, and its members. */
  criticalPathSeconds: number;
  criticalPath: string[];
  /** The least time that what workstreams reserved allows, in seconds; null where they reserved nothing. */
  reservedSeconds: number | null;
  /** What one agent would have needed, which is work and overhead, / wall; 1 for one agent, null for little work. */
  speedup: number | null;
  /** The least time that agents, cores, reservations and the critical path allow, in seconds. */
  limitSeconds: number;
  /** limit / wall, 0 to 1; null for little work. */
  efficiency: number | null;
}

/** How long workstreams of a run waited for locks of other runs, and whose. */
export interface RunsWaitedFor {
  /** Time in which at least one waited. */
  seconds: number;
  /** In the order in which they were first waited for. */
  runIds: string[];
}

/** What the workstreams of a run could reserve together. */
export interface RunResources {
  /** Processors; a fraction under a quota. */
  cpus: number;
  memoryMb: number;
}

/** The usage limit that all that is left of a run waits for: the first that passes. */
export interface AwaitedLimit {
  /** Name of the tool. */
  tool: string;
  /** ISO 8601 in UTC. */
  until: string;
}

/** The JSON in `execution_summary`. */
export interface ExecutionSummary {
  version: 1;
  millrace: string;
  node: string;
  platform: string;
  /** That the process may use; a part of one under a quota counts as one. */
  cores: number;
  /** Where their number followed the load, the most that there were. */
  agentsCount: number;
  /** Null where the number of agents was fixed. */
  scaling: ScalingSummary | null;
  distribution: 'dynamic' | 'round-robin';
  exitCode: number;
  interruptedBy: string | null;
  /** Null where the run did not end for that, with exit code 5. */
  waitsForLimit: AwaitedLimit | null;
  /** How often it was started: 1, and one more each time it was resumed. Agents and cores are those of the last. */
  sessions: number;
  /** Null where it waited for no other run. Of the last session. */
  waitedForRuns: RunsWaitedFor | null;
  /** Null where no workstream reserved anything. Of the last session. */
  resources: RunResources | null;
  speed: Speed;
  agents: AgentPerformance[];
  tests: TestTotals;
  /** Seconds that the main thread spent writing to the database and consolidating. */
  overhead: { storeSeconds: number; consolidateSeconds: number };
}

export interface TestTotals {
  total: number;
  passed: number;
  failed: number;
  manual: number;
}

/** One run. `executionSummary` is null for a run that has not ended or that an older system made. */
export interface RunSummary {
  runId: string;
  state: RunState;
  /** ISO 8601 in UTC. */
  createdAt: string;
  endedAt: string | null;
  totals: Totals;
  executionSummary: ExecutionSummary | null;
  recommendations: string[];
  /** When it was last resumed; null for never. */
  resumedAt: string | null;
  /** The run whose failures it tried again; null for none. */
  retryOf: string | null;
  /** The name that it shares with other runs of its kind; null for none. */
  label: string | null;
  /** The machine that last wrote it; null where that is not known. */
  hostname: string | null;
  /** What was checked out when it began; null where it was started in no git repository, or git did not answer. */
  checkout: Checkout | null;
}

/** A workstream that did not complete, short. */
export interface ShortResult {
  workstreamId: string;
  title: string;
  agentId: string;
  status: FinalStatus;
  reason: string | null;
  explanation: string | null;
  /** Null where the row does not hold it. */
  failure: Failure | null;
  startTime: string | null;
  endTime: string | null;
  durationSeconds: number | null;
  logFile: string | null;
}

export interface FileChange {
  path: string;
  /** Up to 5 of the workstreams that changed it. */
  workstreams: string[];
  /** What was done to it, by the first of those whose changes are known from git; null where none is. */
  status: ChangedFile['status'] | null;
  /** Lines added and removed by all of them; null where that is not known. */
  linesAdded: number | null;
  linesRemoved: number | null;
}

/** The output of a workstream, or what its tool said of the work, with how it ended. */
export interface WorkstreamOutput {
  workstreamId: string;
  title: string;
  status: FinalStatus;
  /** Why it did not complete; null where it did. */
  reason: string | null;
  explanation: string | null;
  /** The tool that wrote the output; null where a module returned it. */
  tool: string | null;
  tests: Pick<TestTotals, 'passed' | 'failed'>;
  output: Json;
  metrics: Record<string, number>;
}

/** A file that a workstream made, with the workstream. */
export interface ShownFile extends MadeFile {
  workstreamId: string;
}

/** What a module reported of one metric, with at most about 120 points. */
export interface ShownSeries extends MetricSeries {
  workstreamId: string;
  name: string;
}

/** What a workstream reserved, and what it used of that. */
export interface ResourceUse {
  workstreamId: string;
  /** How long it took; null where that is not known. */
  seconds: number | null;
  asked: Reservation;
  /** CPU time of all its processes in seconds. */
  cpuSeconds: number | null;
  /** The processors that it used at the mean, and the most memory at a time; null where that can't be known. */
  used: Reservation;
  /** What to reserve instead; null where that is right, or where too little is known. */
  advice: string | null;
}

/** A failed acceptance test or a manual check, with its workstream. */
export interface TestNote {
  workstreamId: string;
  name: string;
  detail: string;
}

/** A failed case of an acceptance test. */
export interface FailedCase {
  workstreamId: string;
  acceptanceTest: string;
  /** Empty where it is not known. */
  suite: string;
  name: string;
  message: string | null;
}

// The results of a run as one table: a row a workstream.

/** A row. Its cells are those of the table's columns, in their order; null where it has no value there. */
export interface ResultsRow {
  workstreamId: string;
  /** The id of the definition whose matrix it is a member of, or its own. */
  base: string;
  status: FinalStatus;
  reason: string | null;
  seconds: number | null;
  parameters: Json[];
  outputs: Json[];
  metrics: (number | null)[];
}

/**
 * What is in an object is in columns of dotted names, such as `fit.loss`; an array is one value. Columns are in the order
 * in which they first occur, rows in the order of definitions, and of those of one definition in that of its values.
 */
export interface ResultsTable {
  /** Names of the values of matrices. */
  parameters: string[];
  /** Names in outputs; an output that is no object is called `output`. */
  outputs: string[];
  metrics: string[];
  rows: ResultsRow[];
  /** How many rows there are, where `rows` was cut. */
  total: number;
  /** How many columns were left out, because there were too many. */
  columnsLeftOut: number;
}

/** How long a tool waited for its usage limits in a run. */
export interface ParkedInRun {
  /** The tool, or the account that it shares with others. */
  tool: string;
  /** How often it met one; limits that were met together count once. */
  times: number;
  /** Time in which it could not be started, as far as the run was under way. */
  seconds: number;
  /** What it said the last time. */
  why: string;
  /** ISO 8601 in UTC: until when it waits, or waited, the last time. */
  until: string;
  /** Whether it has worked since. */
  hasWorked: boolean;
}

/** What one machine did for a run over a queue. */
export interface HostPerformance {
  host: string;
  /** Those of its agents that the run knows. */
  agents: number;
  /** That have their result from it. */
  workstreams: number;
  completed: number;
  failed: number;
  /** Time in which its agents executed something, added up over them. */
  busySeconds: number;
  /** Executions that were given up because it, the last of several hosts, was lost with them: `host-lost`. */
  lost: number;
}

/** What the run as a whole found out: everything that a report shows. Lists are bounded. */
export interface ConsolidatedResult {
  run: RunSummary;
  /** One entry an agent. */
  agents: AgentPerformance[];
  /** One entry a host; absent for a run that was executed on this machine. */
  hosts?: HostPerformance[] | undefined;
  /** How many agents there were, from the start on; empty where their number was fixed. */
  scaling: Capped<AgentsChange>;
  patterns: Capped<ErrorPattern>;
  /** One entry for each tool and model; empty where none was used. */
  tools: ToolPerformance[];
  /** What several tools made of one workstream. */
  competitions: Capped<Competition>;
  /** What reviewers said, those first that did not accept what they reviewed. */
  reviews: Capped<ReviewedWork>;
  /** What became of each task of a coding agent. */
  tasks: Capped<ToolTask>;
  /** Null where nothing was to be merged. */
  merges: MergedWork | null;
  retried: Capped<Retried>;
  /** Tools that met usage limits in this run, and for how long they waited; empty for none. */
  parked: ParkedInRun[];
  /** Workstreams that failed. */
  failures: Capped<ShortResult>;
  skipped: Capped<ShortResult>;
  /** Warnings, with the workstream they belong to. */
  warnings: Capped<{ workstreamId: string; text: string }>;
  tests: TestTotals;
  /** What the acceptance tests ran, added up over those that say; null where none does. */
  testCases: TestCounts | null;
  failedTests: Capped<TestNote>;
  failedCases: Capped<FailedCase>;
  manualChecks: Capped<TestNote>;
  files: Capped<FileChange>;
  commits: Capped<{ workstreamId: string; commit: string }>;
  outputs: Capped<WorkstreamOutput>;
  /** Values, outputs and metrics as one table, of at most 500 rows; null where there are none. */
  results: ResultsTable | null;
  /** Files that workstreams made, among those that they declare as their outputs. */
  outputFiles: Capped<ShownFile>;
  /** What modules reported of metrics while they ran. */
  series: Capped<ShownSeries>;
  /** Workstreams that reserved processors or memory, those with advice first. */
  resources: Capped<ResourceUse>;
  /** Every workstream up to 500; beyond that every failure (capped) and the longest, in order of start. */
  timeline: Capped<ShortResult>;
  /** Path of the database as a person would type it. */
  database: string;
}

/** A live view of a run that is under way. */
export interface LiveWorkstream {
  workstreamId: string;
  title: string;
  status: 'pending' | 'blocked' | 'running';
  agentId: string | null;
  since: string | null;
  fraction: number | null;
  activity: string | null;
}

/** What a document of a run says beside its workstreams: whole, and bounded whatever the run was. */
export interface RunDocumentHead extends Omit<ConsolidatedResult, 'patterns'> {
  version: 1;
  /** Groups of errors, the most frequent first, 1,000 at most. */
  errors: ErrorPattern[];
  /** How many groups there are. */
  errorPatterns: number;
  recommendations: string[];
  /** How it differs from the run before it of the same workstreams; null where there is none, or it was not compared. */
  comparison: RunComparison | null;
}

/** A run as it is shown: what `run --json`, `show --json` and `report --format json` print, and reports are made of. */
export interface RunDocument extends RunDocumentHead {
  /** In the order in which their results arrived. */
  workstreams: AgentResult[];
}

/** With less work than this, in seconds, what is measured is mostly the overhead of any run. */
export const LEAST_WORK_SECONDS = 5;

/** How many times as fast as one agent a run was; null where that is not known, 1 for one agent. */
export function speedupOf({
  speed,
  agentsCount,
}: Pick<ExecutionSummary, 'speed' | 'agentsCount'>): number | null {
  if (agentsCount === 1) return speed.busySeconds > 0 ? 1 : null;
  return speed.oneAgentSeconds < LEAST_WORK_SECONDS ? null : speed.speedup;
}
