/** What is known about a run once it is stored: the rows that history gives and the reports are made of. */
import type { AgentResult, FinalStatus } from './agent-result.ts';
import type { Json } from './json.ts';
import type { TestCounts } from './test-case.ts';

/** A run that is not `ended` is under way, or its process died (`interrupted`). */
export type RunState = 'running' | 'ended' | 'interrupted';

export interface Totals {
  workstreams: number;
  completed: number;
  failed: number;
  skipped: number;
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
  idleSeconds: number;
  /** CPU time of its thread; null where the platform can't tell. */
  cpuSeconds: number | null;
  /** busy / wall time of the run, 0 to 1. */
  utilisation: number | null;
  averageSeconds: number | null;
  medianSeconds: number | null;
  p95Seconds: number | null;
  /** Workstreams for each hour of wall time. */
  perHour: number | null;
}

/** How fast the run was, and how fast it could have been. */
export interface Speed {
  /** Seconds from start to the last result. */
  wallSeconds: number;
  /** Sum of all durations. */
  busySeconds: number;
  /** What one agent would have needed: the durations without the time that threads waited for a processor. */
  oneAgentSeconds: number;
  /** Longest chain of dependencies by measured duration, and its members. */
  criticalPathSeconds: number;
  criticalPath: string[];
  /** one agent / wall. */
  speedup: number | null;
  /** The least time that agents, cores and the critical path allow, in seconds. */
  limitSeconds: number;
  /** limit / wall, 0 to 1. */
  efficiency: number | null;
}

/** The JSON in `execution_summary`. */
export interface ExecutionSummary {
  version: 1;
  millrace: string;
  node: string;
  platform: string;
  cores: number;
  agentsCount: number;
  distribution: 'dynamic' | 'round-robin';
  exitCode: number;
  interruptedBy: string | null;
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
}

/** A group of errors that are one error. */
export interface ErrorPattern {
  /** The failure's reason. */
  type: string;
  /** The message with numbers, paths and ids masked. */
  pattern: string;
  count: number;
  /** Up to 20 workstreams that have it, in the order of their results. */
  workstreams: string[];
  example: ErrorExample;
}

/** One error of a group, whole. */
export interface ErrorExample {
  workstreamId: string;
  agentId: string;
  message: string;
  stack: string | null;
  tail: string | null;
  logFile: string | null;
}

/** A workstream that did not complete, short. */
export interface ShortResult {
  workstreamId: string;
  title: string;
  agentId: string;
  status: FinalStatus;
  reason: string | null;
  explanation: string | null;
  startTime: string | null;
  endTime: string | null;
  durationSeconds: number | null;
  logFile: string | null;
}

/** A list that was cut: what is shown, and how many there are in all. */
export interface Capped<T> {
  shown: T[];
  total: number;
}

export interface FileChange {
  path: string;
  /** Up to 5 of the workstreams that changed it. */
  workstreams: string[];
}

export interface WorkstreamOutput {
  workstreamId: string;
  title: string;
  output: Json;
  metrics: Record<string, number>;
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

/** What the run as a whole found out: everything that a report shows. Lists are bounded. */
export interface ConsolidatedResult {
  run: RunSummary;
  /** One entry an agent. */
  agents: AgentPerformance[];
  patterns: Capped<ErrorPattern>;
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

/** `run --json` and `report --format json`: one document, of this version. */
export interface RunDocument {
  version: 1;
  run: RunSummary;
  agents: AgentPerformance[];
  workstreams: AgentResult[];
  errors: ErrorPattern[];
  recommendations: string[];
}
