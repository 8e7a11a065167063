/**
 * What the dashboard answers, under `/api`: made by src/dashboard, read by src/web. Every answer is JSON with a version;
 * fields may be added within one. Texts are as in a page: printable, shortened, and data wherever they are shown.
 */
import type { FinalStatus } from '../agent-result.ts';
import type { ErrorHistoryDocument, FailureHistory, FlakyDocument } from '../history/failure-documents.ts';
import type { Checkout } from '../history/history.ts';
import type { Trend, TrendsDocument } from '../history/trends-document.ts';
import type { WhyDocument } from '../history/why-document.ts';
import type { PackedDocument, PackedWorkstream } from '../page-document.ts';
import type { AwaitedLimit, RunState, Totals } from '../run-record.ts';
import type { ToolPerformance } from '../tool-record.ts';

// ── Runs ──

/** A run among others. */
export interface ListedRun {
  runId: string;
  label: string | null;
  /** `running` means that its process lives; one whose process died is `interrupted`, whatever its row says. */
  state: RunState;
  /** Null until it has ended. */
  exitCode: number | null;
  /** The signal; null for none. */
  interruptedBy: string | null;
  /** The usage limit that what is left of it waits for; null for none. */
  waitsForLimit: AwaitedLimit | null;
  /** ISO 8601 in UTC. */
  createdAt: string;
  endedAt: string | null;
  /** When it was last resumed; null for never. */
  resumedAt: string | null;
  /** Null while it is under way, and where that is not known. */
  wallSeconds: number | null;
  /** So far. */
  totals: Totals;
  /** How many are being executed now; 0 unless it is running. */
  running: number;
  /** How many agents; null where that is not known. */
  agents: number | null;
  /** US dollars of all tools so far; null where no tool says. */
  costUsd: number | null;
  /** Names of the tools that it used. */
  tools: string[];
  retryOf: string | null;
  hostname: string | null;
  checkout: Checkout | null;
}

/** `GET /api/runs?before=RUN&limit=N`: the newest first; `before` leaves out that run and all newer ones. */
export interface RunsAnswer {
  version: 1;
  /** Path of the database, as a person would type it. */
  database: string;
  runs: ListedRun[];
  /** How many there are in all. */
  total: number;
}

/** `GET /api/runs/:run`. `:run` is an id, a unique beginning of one, `latest`, `latest~N` or a label. */
export interface RunAnswer {
  version: 1;
  runId: string;
  /** Of a run under way: what has ended so far. Its parts are whole with `unpackDocument`. */
  document: PackedDocument;
  /** Null where the run is not under way: ended or interrupted. */
  live: LiveState | null;
  /** Where its events begin that this answer does not have: `GET /api/runs/:run/events?after=CURSOR`. */
  cursor: string;
}

/** What is true of a run at this moment. */
export interface LiveState {
  /** ISO 8601 in UTC, of the server's clock, as are all times. */
  now: string;
  startedAt: string;
  /** How many have a result. */
  ended: number;
  completed: number;
  failed: number;
  skipped: number;
  /** How many there are; 0 until the plan is made. */
  total: number;
  /** By agent, in the order of their names. */
  running: WorkstreamInHand[];
  /** How many have neither a result nor an agent. */
  waiting: number;
  /** Tools that are at a usage limit. */
  parked: ParkedTool[];
  /** Null where nothing is known to make one from. */
  estimate: TimeEstimate | null;
  /** Whether the run can be asked to stop or to retry a workstream: its socket is there. */
  canAct: boolean;
}

export interface WorkstreamInHand {
  workstreamId: string;
  title: string;
  agentId: string;
  /** From 1. */
  attempt: number;
  since: string;
  /** 0 to 1; null where it does not say. */
  fraction: number | null;
  /** What it says it does; null for nothing. */
  text: string | null;
  /** Path of what it prints, to be shown; null where it has printed nothing so far. */
  logFile: string | null;
  /** The machine, where that is another one. */
  host: string | null;
}

export interface ParkedTool {
  tool: string;
  /** When it goes on by itself; null where that is not known. */
  until: string | null;
  why: string;
}

/** How long the rest of a run takes. */
export interface TimeEstimate {
  seconds: number;
  low: number;
  high: number;
  /** What it is made from, beside how long those under way take already. */
  basis: EstimateBasis;
}

export interface EstimateBasis {
  /** `this-run`: the last that have ended in it. `earlier-runs`: those that are still to end, when they last completed. */
  kind: 'this-run' | 'earlier-runs';
  /** Workstreams of which it is known how long they took. */
  known: number;
  /** All that have ended, or that are still to end. */
  of: number;
}

// ── Server-sent events. `id:` of each is the cursor after it; `Last-Event-ID` or `?after=` continues there.
// Each stream has one more, without an id: that of `heartbeat.ts` ──

/**
 * `GET /api/runs/:run/events`. A client that comes back with a cursor gets all that has happened since, or `reload`.
 * A browser opens six connections to a host: a page that nobody sees has to close its stream, and to open it again where it
 * was when it is seen.
 *
 * - `rows`: results that are new, those whose merge states have changed, and those that are gone.
 * - `live`: `LiveState`.
 * - `head`: `HeadEvent`: the head of the document is as of now.
 * - `reload`: the client has to ask for the document again, and for the events from its cursor: the run was resumed, or
 *   more has happened than is sent.
 * - `over`: the run has ended or was interrupted; no events follow until it is resumed.
 */
export interface RunEvents {
  rows: RowsEvent;
  live: LiveState;
  head: HeadEvent;
  reload: { why: string };
  over: { state: RunState };
}

export interface RowsEvent {
  /** To be added, or put in place of those with the same id. New ones are in the order of their results. */
  rows: PackedWorkstream[];
  /** Ids of those that have no result any more, as somebody lets them be tried again. They come before `rows`. */
  gone: string[];
}

/** The document but for its workstreams. */
export type HeadEvent = Omit<PackedDocument, 'workstreams'>;

/**
 * `GET /api/events`: `runs`: runs that are new or have changed; `gone`: ids of those that were removed. `reload`: the whole
 * list is to be asked for again.
 */
export interface ListEvents {
  runs: { runs: ListedRun[]; gone: string[]; total: number };
  reload: Record<string, never>;
}

/**
 * `GET /api/runs/:run/logs/:workstream/follow`: what one workstream prints, from its last 64 KiB on. The `id` of an event is
 * how far it reaches, a text of at most 80 characters: a client that comes back with it, as `?from=` or `Last-Event-ID`, gets
 * what was printed since then, also of a run that was resumed meanwhile, or `reset` where another attempt has begun a log of
 * its own. A number alone is a byte of whichever log there is.
 */
export interface LogEvents {
  /** Where what follows begins. */
  position: Record<string, never>;
  /** What was appended. `from` and `to` are offsets in bytes: a gap means that the part between was left out. */
  text: { from: number; to: number; text: string };
  /** What follows is another file, of another attempt: what was shown is of an earlier one. */
  reset: { size: number };
  /** Nothing more is written. */
  over: { size: number };
}

/**
 * `GET /api/runs/:run/logs`: what all workstreams print. It begins with the last 50 lines, at most 16 KiB, of each log that
 * is still written and of the 100 last of the others. A client that comes back with the position of a `position` event,
 * as `?from=` or `Last-Event-ID`, gets what was printed since then, also of a run that was resumed meanwhile; what it was
 * sent after that event it gets again.
 */
export interface LogsEvents {
  /**
   * Whole lines of one log; a part of one that is longer than 64 KiB. `log` is the same for what is from one file, and `from`
   * and `to` are offsets in it in bytes: by them a client knows what it has already, and what was left out.
   */
  lines: { workstreamId: string; log: string; from: number; to: number; text: string };
  /** Its `id` is how far the lines before it reach: a text of at most 6,005 characters. Sent once for many lines. */
  position: Record<string, never>;
  /** Nothing more is written. */
  over: Record<string, never>;
}

// ── Over all runs ──

/** A workstream over the last runs. */
export interface ListedWorkstream {
  workstreamId: string;
  title: string;
  /** In the last run that has a result of it. */
  lastRunId: string;
  lastStatus: FinalStatus;
  lastReason: string | null;
  lastAt: string;
  /** How many of the runs that were looked at have a result of it, and in how many it failed. */
  runs: number;
  failed: number;
  /** What became of it, the oldest of these runs first, at most 30. */
  history: { runId: string; what: 'passed' | 'failed' | 'not-run' }[];
  isFlaky: boolean;
  /** Of those that completed; null for none. */
  medianSeconds: number | null;
  /** Whether it became slower or faster. */
  trend: Trend['state'];
}

/** `GET /api/workstreams?search=&after=ID&limit=N`, by id. */
export interface WorkstreamsAnswer {
  version: 1;
  /** How many runs were looked at. */
  runs: number;
  workstreams: ListedWorkstream[];
  /** How many match, whatever `after` and `limit`. */
  total: number;
  /** How many of these failed in their last run, and how many are flaky. */
  totals: { failing: number; flaky: number };
}

/** `GET /api/workstreams/:workstream?run=RUN`: a workstream over its last runs, and in one of them. */
export interface WorkstreamAnswer {
  version: 1;
  workstreamId: string;
  title: string;
  /** How it went in the run that was named, or the last that has a result of it; null where too little is known. */
  why: WhyDocument | null;
  /** The newest first, at most 100. */
  runs: WorkstreamInRun[];
  failures: FailureHistory[];
  isFlaky: boolean;
  /** Null where it completed in none. */
  trend: Trend | null;
}

export interface WorkstreamInRun {
  runId: string;
  at: string;
  label: string | null;
  status: FinalStatus;
  reason: string | null;
  explanation: string | null;
  agentId: string;
  attempts: number;
  seconds: number | null;
  costUsd: number | null;
  tool: string | null;
  model: string | null;
  hasLog: boolean;
}

/** `GET /api/patterns`: what `errors --history --json` prints; null where there is no run to look back from. */
export interface PatternsAnswer {
  version: 1;
  history: ErrorHistoryDocument | null;
}

/** A run in a chart over runs. */
export interface RunPoint {
  runId: string;
  at: string;
  label: string | null;
  seconds: number | null;
  completed: number;
  failed: number;
  skipped: number;
  costUsd: number | null;
}

/**
 * `GET /api/trends`: what `trends --json` prints but for the workstreams that are as fast as before, what `flaky --json`
 * prints, at most 100 workstreams of the one and 100 failures of the other, and the runs, the oldest first.
 */
export interface TrendsAnswer {
  version: 1;
  /** Null where no run has ended, as `flaky`. The verdict is that of all workstreams. */
  trends: TrendsDocument | null;
  flaky: FlakyDocument | null;
  /** How many workstreams became slower or faster, and how many failures are flaky. */
  totals: { changed: number; flaky: number };
  runs: RunPoint[];
}

/** `GET /api/tools`: tools and models over the last runs. */
export interface ToolsAnswer {
  version: 1;
  /** How many runs were looked at. */
  runs: number;
  tools: ToolPerformance[];
  /** By run and tool, the oldest run first: what it cost and how it went. */
  inRuns: (ToolPerformance & { runId: string; at: string })[];
}

// ── Sessions and acting ──

/**
 * `POST /api/session` with `{"token"}`, which sets a cookie, and `GET /api/session` with that cookie. Everything else
 * under `/api` needs the cookie. Every change needs `X-Millrace-Token` with this beside it, and JSON as its content type.
 */
export interface SessionAnswer {
  version: 1;
  actToken: string;
}

/** `POST /api/runs/:run/stop` and `/retry`, with `{"workstreams": []}`: none means the whole run, for stop. */
export interface ActAnswer {
  version: 1;
  /** What became of each: a word of a closed list, and a sentence. */
  results: { workstreamId: string; did: string; text: string }[];
}

/** Any answer whose status is not 2xx. */
export interface DashboardRefusal {
  version: 1;
  /** A kebab-case word. */
  error: string;
  /** What happened and what to do, as a sentence. */
  message: string;
}
