/** What the HTML page of a run shows: made by src/report/page-document.ts, read by src/web. Everything in it is bounded. */
import type { AgentResult, FinalStatus, ResourceUsage } from './agent-result.ts';
import type { Merge } from './changes.ts';
import type { Json, JsonObject } from './json.ts';
import type { MadeFile, MetricSeries } from './outcome.ts';
import type { ReviewRecord } from './policy/review.ts';
import type { RunDocumentHead } from './run-record.ts';

/** The head of a run's document without what `workstreams` has. Its texts are shortened, and none has control characters. */
type PageHead = Omit<RunDocumentHead, 'timeline' | 'failures' | 'skipped' | 'outputs'>;

/** A run as a page shows it. */
export interface PageDocument {
  version: 1;
  head: PageHead;
  /** Every workstream where there is room for all; otherwise failures and the longest. In the order of their results. */
  workstreams: PageWorkstream[];
  /** Null where all are there. */
  omitted: PageOmission | null;
  /** What the omitted ones are counted in; null where none is omitted. */
  aggregates: PageAggregates | null;
  paths: PagePaths;
}

/** What is not on the page. */
interface PageOmission {
  /** How many workstreams. */
  workstreams: number;
  /** As a sentence. */
  why: string;
  /** A shell command that lists them. */
  command: string;
}

/** Where things are, for commands that are typed in the folder in which the run was started. */
interface PagePaths {
  database: string;
  /** Path of the Markdown report relative to the page. */
  markdown: string;
}

/** What became of a run's workstreams, of all of them, where they are too many to be listed. */
export interface PageAggregates {
  byKind: { kind: string | null; completed: number; failed: number; skipped: number; seconds: number }[];
  /** How busy agents were over the time of the run. Null where no workstream was executed. */
  load: PageLoad | null;
}

/** Busy shares in bins of equal length, from the first start of a workstream to the last end. */
export interface PageLoad {
  /** ISO 8601 in UTC. */
  from: string;
  /** Length of a bin. */
  seconds: number;
  /** One entry for each agent: of each bin the share in which it was busy, from 0 to 1. */
  agents: { agentId: string; busy: number[] }[];
}

/** A try before the one that the result is of. */
export interface PageAttempt {
  attempt: number;
  agentId: string;
  tool: string | null;
  model: string | null;
  start: string | null;
  seconds: number | null;
  /** Null for a candidate that completed and was not chosen. */
  reason: string | null;
  explanation: string | null;
  /** US dollars; null where it can't be known. */
  cost: number | null;
}

/** An acceptance test or a manual check. */
export interface PageTest {
  name: string;
  status: 'passed' | 'failed' | 'manual';
  seconds: number | null;
  detail: string;
  /** What it says of the tests that it ran; null where it says nothing. */
  counts: { passed: number; failed: number; skipped: number } | null;
}

/** One workstream. Texts and lists are cut; where a list was, `…Total` has its length. */
export interface PageWorkstream {
  id: string;
  title: string;
  kind: string | null;
  /** The workstream's file. */
  file: string;
  status: FinalStatus;
  reason: string | null;
  /** The reason as a sentence. */
  explanation: string | null;
  /** The `id` of its error pattern; null without an error. */
  patternId: string | null;
  agentId: string;
  /** The tool of the last attempt; null where there was none. */
  tool: string | null;
  model: string | null;
  /** ISO 8601 in UTC with milliseconds; null where no agent ran it. */
  start: string | null;
  end: string | null;
  seconds: number | null;
  cpuSeconds: number | null;
  cpuWaitSeconds: number | null;
  /** How many attempts there were, with the one that the result is of; 0 where no agent ran it. */
  attemptCount: number;
  earlierAttempts: PageAttempt[];
  dependsOn: string[];
  /** None where there was but one, and nothing else is to be told of the workstream. */
  steps: {
    id: string;
    kind: string;
    status: 'completed' | 'failed';
    seconds: number;
    exitCode: number | null;
  }[];
  files: string[];
  filesTotal: number;
  commits: string[];
  commitsTotal: number;
  warnings: string[];
  warningsTotal: number;
  tests: PageTest[];
  testsTotal: number;
  /** The last of what the failed step printed. */
  tail: string | null;
  stack: string | null;
  /** Address of the whole output relative to the page, each part percent-encoded; null where there is none. */
  log: string | null;
  /** The same as a path, to be shown. */
  logPath: string | null;
  /** What it returned, abridged; null for nothing, and where that is too large to be abridged. */
  output: Json;
  metrics: Record<string, number>;
  /** The id of the definition whose matrix it is a member of, and its values; null without one. */
  base: string | null;
  matrix: JsonObject | null;
  /** What its modules reported of metrics while they ran, by name. */
  series: Record<string, MetricSeries>;
  /** Files that it made, among those that it declares. */
  made: MadeFile[];
  madeTotal: number;
  /** What it reserved, and what it used of it; null where nothing is known of that. */
  usage: ResourceUsage | null;
  /** The run whose result was taken over, instead of running it again; null for its own. */
  fromRun: string | null;
  /** US dollars of all attempts; null where no tool says. */
  cost: number | null;
  /** The tool's last message. */
  claim: string | null;
  /** Files and lines changed, where git knows them. */
  changes: { files: number; linesAdded: number | null; linesRemoved: number | null } | null;
  branch: string | null;
  merge: Merge['status'] | null;
  /** What reviewers said of it. */
  reviews: PageReview[];
}

const LEFT: ReadonlySet<Merge['status'] | null> = new Set([
  'conflict',
  'breaks-tests',
  'outside-scope',
  'failed',
]);

/** Whether work is left on its own branch, so that a person has to look at it. */
export const isLeft = (merge: PageWorkstream['merge']): boolean => LEFT.has(merge);

/** A review, with the first of its findings. */
export interface PageReview
  extends Pick<
    ReviewRecord,
    'attempt' | 'tool' | 'model' | 'verdict' | 'noVerdict' | 'blocks' | 'findings' | 'found'
  > {
  /** US dollars; null where it can't be known. */
  cost: number | null;
  /** The end of what it said. */
  text: string | null;
}

/** A workstream as the page keeps it: only what is not as in `PLAIN_WORKSTREAM`. */
export type PackedWorkstream = Pick<PageWorkstream, 'id'> & Partial<PageWorkstream>;

/** A document as the page keeps it. */
export type PackedDocument = Omit<PageDocument, 'workstreams'> & { workstreams: PackedWorkstream[] };

/** What most workstreams have in common. A title that is left out is the id. */
export const PLAIN_WORKSTREAM: Omit<PageWorkstream, 'id' | 'title'> = {
  kind: null,
  file: '',
  status: 'completed',
  reason: null,
  explanation: null,
  patternId: null,
  agentId: '',
  tool: null,
  model: null,
  start: null,
  end: null,
  seconds: null,
  cpuSeconds: null,
  cpuWaitSeconds: null,
  attemptCount: 1,
  earlierAttempts: [],
  dependsOn: [],
  steps: [],
  files: [],
  filesTotal: 0,
  commits: [],
  commitsTotal: 0,
  warnings: [],
  warningsTotal: 0,
  tests: [],
  testsTotal: 0,
  tail: null,
  stack: null,
  log: null,
  logPath: null,
  output: null,
  metrics: {},
  base: null,
  matrix: null,
  series: {},
  made: [],
  madeTotal: 0,
  usage: null,
  fromRun: null,
  cost: null,
  claim: null,
  changes: null,
  branch: null,
  merge: null,
  reviews: [],
};

export const unpackWorkstream = (packed: PackedWorkstream): PageWorkstream => ({
  ...PLAIN_WORKSTREAM,
  title: packed.id,
  ...packed,
});

/** The workstreams of a page whole again. */
export const unpackDocument = (packed: PackedDocument): PageDocument => ({
  ...packed,
  workstreams: packed.workstreams.map(unpackWorkstream),
});

/**
 * A result that has nothing to tell but when it was executed, as most of a large run have: the JSON of its
 * `PackedWorkstream`, with texts as they are stored.
 */
export type PlainText = string;

/** What a page is made from beside the head of the run's document. */
export interface PageResults {
  /** In the order of their results. */
  results: Iterable<AgentResult | PlainText>;
  /** Null where all results are there. */
  aggregates: PageAggregates | null;
}
