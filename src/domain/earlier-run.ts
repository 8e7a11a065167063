/** What is stored of a run that another one goes on with. */
import type { FinalStatus } from './agent-result.ts';
import type { AttemptRecord } from './attempt.ts';
import type { Failure } from './failure.ts';
import type { JsonObject } from './json.ts';
import type { Dependency } from './workstream.ts';

/** The result that a workstream had there, short. */
export interface EarlierResult {
  workstreamId: string;
  title: string;
  /** Where its definition stood. */
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
}

/** A workstream that was to be run there and has no result. */
export type Unfinished = Pick<EarlierResult, 'workstreamId' | 'title' | 'file'>;

/** A run as it was left. */
export interface EarlierRun {
  runId: string;
  /** As they were stored; null where a version recorded it that did not store them. */
  options: JsonObject | null;
  /** When it was last resumed; null for never. Tells whether it was resumed since it was read. */
  resumedAt: string | null;
  /** The run whose failures it tried again; null for none. */
  retryOf: string | null;
  /** How often it was started. */
  sessions: number;
  /** In the order in which they arrived. */
  results: EarlierResult[];
  unfinished: Unfinished[];
  /** Ids of those of them that an agent had when its process died or was killed, in planned order. */
  inHand: string[];
  /** At how many deaths of the run's process each workstream was in hand, by id; those at none are left out. */
  deaths: ReadonlyMap<string, number>;
  /** Seconds from the start to the last sign of life, of all its sessions together. */
  workedSeconds: number;
  /** US dollars that all its attempts are known to have cost. */
  spentUsd: number;
}

/** What a run goes on from. */
export interface Inheritance {
  /** Results that stay as they are, in the order in which they arrived. */
  kept: readonly EarlierResult[];
  /** Attempts of workstreams that were interrupted, by id. */
  attempts: ReadonlyMap<string, readonly AttemptRecord[]>;
  /** Whose work others may build on, in the order in which it arrived. */
  work: readonly EarlierWork[];
  /** US dollars that were spent before. */
  spentUsd: number;
  /** Workstreams that are left for another time, by id. */
  left: ReadonlySet<string>;
  /** Workstreams that are not run because they end the process of the run, by id. */
  crashed: ReadonlyMap<string, Failure>;
}

/** A workstream that completed earlier. */
export interface EarlierWork {
  id: string;
  dependsOn: readonly Dependency[];
  hasCommits: boolean;
}

/** Of a run that begins. */
export const NOTHING_EARLIER: Inheritance = {
  kept: [],
  attempts: new Map(),
  work: [],
  spentUsd: 0,
  left: new Set(),
  crashed: new Map(),
};
