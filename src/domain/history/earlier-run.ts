/** What a run has from before it began: from the runs that it repeats, and from its own earlier sessions. */
import type { FinalStatus } from '../agent-result.ts';
import type { AttemptRecord } from '../attempt.ts';
import type { Failure } from '../failure.ts';
import type { EarlierCandidate, KeptSession } from '../kept-work.ts';
import type { MergeWork } from '../workspaces.ts';
import type { Dependency } from '../workstream.ts';

/** The result of a workstream, short. */
export interface EarlierResult {
  workstreamId: string;
  title: string;
  /** Path of the file that defined it. */
  file: string;
  position: number;
  status: FinalStatus;
  reason: string | null;
  /** Of the definition that was run; null where that is not known. */
  definitionHash: string | null;
  /** Of all its attempts together; 0 where no agent ran it. */
  durationSeconds: number;
  /** Of the last attempt; null where that is not known. */
  cpuSeconds: number | null;
  cpuWaitSeconds: number | null;
  /** Branch that holds its commits; null for none. */
  branch: string | null;
  /** Its work that was accepted and is still to be merged; null for none. */
  toMerge: MergeWork | null;
  /** Its work that was accepted and left on its branch, for a conflict or a test that fails with it; null for none. */
  leftUnmerged: MergeWork | null;
  /** Whether its work was left out of the branch of its run because of a conflict, or a test that fails with it. */
  couldNotMerge: boolean;
}

/** What a run starts with. */
export interface Inheritance {
  /** Results that stay as they are, in the order in which they arrived. */
  kept: readonly EarlierResult[];
  /** Attempts of workstreams that were interrupted, by id. */
  attempts: ReadonlyMap<string, readonly AttemptRecord[]>;
  /** Candidates that ended of workstreams without a result, by id. */
  candidates: ReadonlyMap<string, readonly EarlierCandidate[]>;
  /** Ids of workstreams whose results were withdrawn: what is known of their attempts is of these. */
  reopened: ReadonlySet<string>;
  /** Sessions of tools in the last attempts at workstreams without a result, by id. */
  sessions: ReadonlyMap<string, readonly KeptSession[]>;
  /** Completed workstreams that others may build on, in the order in which their results arrived. */
  work: readonly EarlierWork[];
  /** US dollars that were spent before. */
  spentUsd: number;
  /** Ids of workstreams that are neither run nor final: a later resume runs them. */
  left: ReadonlySet<string>;
  /** Why workstreams that end the process of the run are not run again, by id. */
  crashed: ReadonlyMap<string, Failure>;
}

/** A workstream that completed earlier. */
export interface EarlierWork {
  id: string;
  dependsOn: readonly Dependency[];
  hasCommits: boolean;
}

/** Of a new run. */
export const NOTHING_EARLIER: Inheritance = {
  kept: [],
  attempts: new Map(),
  candidates: new Map(),
  reopened: new Set(),
  sessions: new Map(),
  work: [],
  spentUsd: 0,
  left: new Set(),
  crashed: new Map(),
};
