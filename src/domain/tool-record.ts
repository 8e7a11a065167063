/** What is known of the work of tools in a run: how each did, what was tried again, what became of their work. */
import type { FinalStatus } from './agent-result.ts';
import type { Candidate } from './attempt.ts';
import type { Capped } from './capped.ts';
import type { Merge } from './changes.ts';
import type { ReviewRecord } from './policy/review.ts';
import { sumKnown } from './tool-report.ts';

/** What one tool did in a run, with one model. */
export interface ToolPerformance {
  tool: string;
  /** Null where it is not known. */
  model: string | null;
  workstreams: number;
  attempts: number;
  /** Attempts that completed. */
  completed: number;
  /** Those of them that passed acceptance tests. */
  accepted: number;
  /** Attempts whose work was not accepted. */
  notAccepted: number;
  /** Attempts that ended as if they had succeeded and had not. */
  falseSuccesses: number;
  /** Attempts whose cost is not known. */
  unknownCosts: number;
  /** Of the others, in US dollars; null when none is known. */
  costUsd: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  /** Time of all attempts together. */
  seconds: number;
}

/** What all tools together cost, as far as it is known. */
export function totalCost(tools: readonly ToolPerformance[]): { knownUsd: number | null; unknown: number } {
  return {
    knownUsd: sumKnown(tools.map(({ costUsd }) => costUsd)),
    unknown: tools.reduce((sum, { unknownCosts }) => sum + unknownCosts, 0),
  };
}

/** Work that is not in the run's own branch. */
export interface MergeProblem {
  workstreamId: string;
  status: Merge['status'];
  /** Where it is instead. */
  branch: string | null;
  /** Workstreams merged before it that changed the same files. */
  conflictsWith: string[];
  files: string[];
  /** What went wrong where it was no conflict. */
  detail: string;
  /** Of work that breaks a test, the workstream together with which it does; null for none. */
  partner: string | null;
  /** The test that it breaks, and its output; null for none. */
  failingTest: string | null;
  logFile: string | null;
}

/** Merged work that is outside of its workstream's scope. */
export interface OutsideWork {
  workstreamId: string;
  files: { path: string; linesAdded: number | null; linesRemoved: number | null }[];
}

/** What became of the work of a run's workstreams. */
export interface MergedWork {
  /** The run's own branch; empty where there is none. */
  branch: string;
  /** How many workstreams are in it. */
  merged: number;
  /** Whether tests passed on all that is merged; false where there are none. */
  tested: boolean;
  /** What else is to be known of it, in a sentence; empty for nothing. */
  caveat: string;
  /** How many were not to be merged and conflict with nothing. */
  mergeable: number;
  /** How much work makes the run fail: it breaks tests, git could not merge it, or it still waits for its merge. */
  failing: number;
  problems: Capped<MergeProblem>;
  /** Of what is merged, and could be. */
  outside: Capped<OutsideWork>;
}

/** A workstream that was given to several tools. */
export interface Competition {
  workstreamId: string;
  candidates: Candidate[];
}

/** A review, and of whose work. */
export interface ReviewedWork extends ReviewRecord {
  workstreamId: string;
}

/** A workstream that was tried more than once. */
export interface Retried {
  workstreamId: string;
  status: FinalStatus;
  attempts: number;
  /** Of the attempts that failed, in their order. */
  reasons: string[];
  /** Why it was not tried again although it might have been; null where that is not so. */
  gaveUp: string | null;
}

/** What became of a workstream that a coding agent worked on. */
export interface ToolTask {
  workstreamId: string;
  title: string;
  /** Of the last attempt. */
  tool: string;
  model: string | null;
  status: FinalStatus;
  /** Why it did not complete; null where it did. */
  reason: string | null;
  attempts: number;
  /** Acceptance tests. */
  tests: { passed: number; failed: number };
  /** US dollars of all attempts; null where none says. */
  costUsd: number | null;
  durationSeconds: number | null;
  /** Files that it changed, and lines, as far as git counts them; null where that is not known. */
  files: number | null;
  linesAdded: number | null;
  linesRemoved: number | null;
  branch: string | null;
  /** What became of its work in the run's own branch; null where nothing is merged. */
  merge: Merge['status'] | null;
}
