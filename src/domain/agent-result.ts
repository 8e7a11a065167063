/** The row of `agent_results`: what one agent found out about one workstream. */
import type { Json, JsonObject } from './json.ts';
import type { Failure, Reason } from './failure.ts';
import type { AttemptRecord, Candidate } from './attempt.ts';
import type { Changes, Merge } from './changes.ts';
import type { TestResult, TestCounts } from './outcome.ts';
import type { ToolReport } from './tool.ts';

/** The states of a workstream. The last three are final: only they are rows of `agent_results`. */
export type Status = 'pending' | 'blocked' | 'running' | FinalStatus;
export type FinalStatus = 'completed' | 'failed' | 'skipped';

/** Name in `agent_id` where no agent ran the workstream. */
export const COORDINATOR = 'coordinator';

/** An element of `errors`. */
export interface ResultError {
  /** The failure's reason; in a row of an older system, whatever word stood there. */
  type: string;
  message: string;
}

/**
 * The object in `test_results`. Its numbers are those of acceptance tests and gates; manual checks are listed and
 * count neither as passed nor as failed. Their `cases` are not in that object but in the table `test_cases`.
 */
export interface TestSummary {
  total: number;
  passed: number;
  failed: number;
  manual: number;
  /** The tests that these ran, added up over those that say; null where none does. */
  cases: TestCounts | null;
  tests: TestResult[];
}

/** What `metadata` holds beside the columns. */
export interface ResultMetadata {
  title: string;
  kind: string | null;
  /** The workstream's file and its position there. */
  file: string;
  position: number;
  priority: number;
  /** What the workstream gave to its dependents; null for nothing. */
  output: Json;
  metrics: Record<string, number>;
  steps: StepSummary[];
  /** The last of what the failed step printed. */
  tail: string | null;
  /** What each tool step's tool reported, in the order of the steps. */
  tools: ToolReport[];
  /** What it changed; null where nothing was looked at. */
  changes: Changes | null;
  /** What became of it in the run's branch; null where nothing is merged. */
  merge: Merge | null;
  /** The other attempts than the one whose result this is. */
  earlierAttempts: AttemptRecord[];
  /** The tools that were given the same workstream; empty where it was one. */
  candidates: Candidate[];
  /** Why it was not tried again although it might have been; null where that is not so. */
  gaveUp: string | null;
  /** How its compensation actions went; empty where none was run. */
  compensation: StepSummary[];
  /** What the definition said beside the fields that Millrace uses. */
  definition: JsonObject;
}

/** A step as the row keeps it. */
export interface StepSummary {
  id: string;
  kind: string;
  status: 'completed' | 'failed';
  duration_seconds: number;
  exit_code: number | null;
}

/** One workstream's final result. Times are ISO 8601 in UTC with milliseconds, null where no agent ran it. */
export interface AgentResult {
  runId: string;
  agentId: string;
  workstreamId: string;
  status: FinalStatus;
  startTime: string | null;
  endTime: string | null;
  durationSeconds: number | null;
  filesModified: string[];
  commitsCreated: string[];
  errors: ResultError[];
  warnings: string[];
  testResults: TestSummary;
  metadata: ResultMetadata;
  /** Why it is not `completed`; null when it is. A skip has a reason and no error. */
  reason: Reason | null;
  /** The reason as a sentence; null when completed. */
  explanation: string | null;
  /** What reason and explanation were made from; null when completed, and in rows of versions that did not keep it. */
  failure: Failure | null;
  /** CPU time of the thread in seconds; null where it can't be known. */
  cpuSeconds: number | null;
  /** Time its thread waited for a processor in seconds; null where it can't be known. */
  cpuWaitSeconds: number | null;
  attempts: number;
  /** Path of the whole output; null when nothing was printed. */
  logFile: string | null;
  stack: string | null;
  /** The error in its normalised form, by which errors are grouped; null without an error. */
  pattern: string | null;
}
