/** What is told of many runs: made once for what the database has, and kept until a run ends. */
import { type FailureHistories, failureHistories } from '../app/failure-histories.ts';
import {
  errorHistoryDocument,
  flakyDocument,
  patternHistoryDocument,
  patternNamed,
} from '../app/histories/failures.ts';
import { trendsDocument } from '../app/histories/trends.ts';
import { whyDocument } from '../app/histories/why.ts';
import { Refusal } from '../app/refusal.ts';
import type {
  ListedWorkstream,
  PatternsAnswer,
  ToolsAnswer,
  TrendsAnswer,
  WorkstreamAnswer,
  WorkstreamInRun,
  WorkstreamsAnswer,
} from '../domain/dashboard/answers.ts';
import type { FlakyDocument } from '../domain/history/failure-documents.ts';
import type { RunRef } from '../domain/history/history.ts';
import type { TrendsDocument } from '../domain/history/trends-document.ts';
import type { ToolPerformance } from '../domain/tool-record.ts';
import { sumKnown } from '../domain/tool-report.ts';
import { historicRun, runsUpTo } from '../store/read/history-runs.ts';
import { historyStamp, listedRuns, newestEnded } from '../store/read/live/listed-runs.ts';
import {
  failingCount,
  lastResults,
  resultsOf,
  type TitledResult,
  workstreamCount,
  workstreamIds,
} from '../store/read/live/workstreams-over-runs.ts';
import { RunHistory } from '../store/read/run-history.ts';
import { getRun } from '../store/read/runs.ts';
import { toolPerformances } from '../store/read/tools.ts';
import type { Connection } from '../store/schema/connection.ts';
import { oneLine } from '../text/printable.ts';

/** How many runs are looked at, and for a list of workstreams. */
const RUNS = 100;
const LISTED_RUNS = 30;
/** Runs of one workstream, and of a chart. */
const OF_ONE = 100;

/** Most workstreams that became slower or faster, and most failures that are flaky, of an answer. */
const CHANGED = 100;

/** The answer over all runs where there is no database yet; null for a question about one of them. */
export function nothingYet(
  kind: string,
): PatternsAnswer | TrendsAnswer | ToolsAnswer | WorkstreamsAnswer | null {
  switch (kind) {
    case 'patterns':
      return { version: 1, history: null };
    case 'trends':
      return { version: 1, trends: null, flaky: null, runs: [], totals: { changed: 0, flaky: 0 } };
    case 'tools':
      return { version: 1, runs: 0, tools: [], inRuns: [] };
    case 'workstreams':
      return NO_WORKSTREAMS;
    default:
      return null;
  }
}

const NO_WORKSTREAMS: WorkstreamsAnswer = {
  version: 1,
  runs: 0,
  workstreams: [],
  total: 0,
  totals: { failing: 0, flaky: 0 },
};

/** Keeps what takes long to make as long as it holds: one value of each kind. */
export class Histories {
  #stamp = '';
  #kept = new Map<string, unknown>();

  /** All that failed in the last runs. Null where no run has ended. */
  #failures(connection: Connection, head: RunRef): FailureHistories {
    return this.#once(connection, 'failures', () => failureHistories(connection, head, RUNS));
  }

  #trends(connection: Connection, head: RunRef): TrendsDocument {
    return this.#once(connection, 'trends', () => trendsDocument(connection, head, RUNS));
  }

  patterns(connection: Connection): PatternsAnswer {
    const head = headIn(connection);
    return {
      version: 1,
      history: head === null ? null : errorHistoryDocument(this.#failures(connection, head)),
    };
  }

  /** @throws Refusal where no pattern is called so. */
  pattern(connection: Connection, named: string): PatternsAnswer {
    const head = headIn(connection);
    if (head === null) throw new Refusal(4, 'No run has ended yet.');
    const all = this.#failures(connection, head);
    const one = patternNamed(connection, all, named);
    return { version: 1, history: patternHistoryDocument(connection, all, one) };
  }

  trends(connection: Connection): TrendsAnswer {
    const head = headIn(connection);
    const runs = listedRuns(connection, { limit: RUNS }).filter(({ state }) => state === 'ended');
    const trends = head === null ? null : this.#trends(connection, head);
    const flaky = head === null ? null : flakyDocument(this.#failures(connection, head));
    const changed = trends?.workstreams.filter(({ shift }) => shift !== null) ?? [];
    return {
      version: 1,
      trends: trends === null ? null : { ...trends, workstreams: changed.slice(0, CHANGED) },
      flaky: flaky === null ? null : firstFlaky(flaky),
      totals: { changed: changed.length, flaky: flaky?.failures.length ?? 0 },
      runs: runs.toReversed().map(({ runId, createdAt, label, wallSeconds, totals, costUsd }) => ({
        runId,
        at: createdAt,
        label,
        seconds: wallSeconds,
        completed: totals.completed,
        failed: totals.failed,
        skipped: totals.skipped,
        costUsd,
      })),
    };
  }

  tools(connection: Connection): ToolsAnswer {
    return this.#once(connection, 'tools', () => toolsOf(connection));
  }

  workstreams(
    connection: Connection,
    asked: { search: string; after: string; limit: number },
  ): WorkstreamsAnswer {
    const head = headIn(connection);
    if (head === null) return NO_WORKSTREAMS;
    const history = new RunHistory(connection, runsUpTo(connection, head, LISTED_RUNS));
    const runIds = history.runs.map(({ run }) => run.runId);
    const ids = workstreamIds(connection, { runIds, ...asked });
    const flaky = this.#flakyIds(connection, head);
    const trends = new Map(
      this.#trends(connection, head).workstreams.map((trend) => [trend.workstreamId, trend]),
    );
    history.preload(ids);
    const workstreams = lastResults(connection, ids, runIds).map((last): ListedWorkstream => {
      const { workstreamId } = last;
      const seen = history.observations(workstreamId, null).map(({ run, what }) => ({
        runId: run.runId,
        what: what === 'passed' || what === 'not-run' ? what : ('failed' as const),
      }));
      const trend = trends.get(workstreamId);
      return {
        workstreamId: oneLine(workstreamId, LINE),
        title: oneLine(last.title, LINE),
        lastRunId: last.runId,
        lastStatus: last.status,
        lastReason: last.reason,
        lastAt: last.at,
        runs: seen.filter(({ what }) => what !== 'not-run').length,
        failed: seen.filter(({ what }) => what === 'failed').length,
        history: seen,
        isFlaky: flaky.has(workstreamId),
        medianSeconds: trend?.medianSeconds ?? null,
        trend: trend?.state ?? 'too-few-runs',
      };
    });
    const total = workstreamCount(connection, { runIds, ...asked });
    const search = asked.search.toLowerCase();
    const totals = {
      failing: failingCount(connection, { runIds, ...asked }),
      flaky: [...flaky].filter((id) => id.toLowerCase().includes(search)).length,
    };
    return { version: 1, runs: runIds.length, workstreams, total, totals };
  }

  /** @param named.run id of the run that it is told of; null for the last that has a result of it. */
  workstream(connection: Connection, named: { id: string; runId: string | null }): WorkstreamAnswer {
    const { id } = named;
    const all = resultsOf(connection, id, OF_ONE);
    const [last] = all;
    if (last === undefined) throw new Refusal(4, `No run has a result of ${oneLine(id, LINE)}.`);
    const head = headIn(connection);
    const failures = head === null ? [] : this.#failures(connection, head).failures;
    const trends = head === null ? [] : this.#trends(connection, head).workstreams;
    const run = getRun(connection, named.runId ?? last.runId);
    return {
      version: 1,
      workstreamId: oneLine(id, LINE),
      title: oneLine(last.title, LINE),
      why:
        run === null || historicRun(connection, run.runId) === null ? null : whyDocument(connection, run, id),
      runs: all.map(inRun),
      failures: failures.filter(({ workstreamId }) => workstreamId === id),
      isFlaky: head !== null && this.#flakyIds(connection, head).has(id),
      trend: trends.find(({ workstreamId }) => workstreamId === id) ?? null,
    };
  }

  #flakyIds(connection: Connection, head: RunRef): Set<string> {
    const { failures } = flakyDocument(this.#failures(connection, head));
    return new Set(failures.map(({ workstreamId }) => workstreamId));
  }

  /** What was made before while the database had the same runs. */
  #once<T>(connection: Connection, kind: string, make: () => T): T;
  #once(connection: Connection, kind: string, make: () => unknown): unknown {
    const stamp = historyStamp(connection);
    if (stamp !== this.#stamp) this.#kept = new Map();
    this.#stamp = stamp;
    if (!this.#kept.has(kind)) this.#kept.set(kind, make());
    return this.#kept.get(kind);
  }
}

const LINE = 600;

function firstFlaky({ failures: all, patterns, ...flaky }: FlakyDocument): FlakyDocument {
  const failures = all.slice(0, CHANGED);
  const ids = new Set(failures.map(({ patternId }) => patternId));
  return { ...flaky, failures, patterns: patterns.filter(({ id }) => ids.has(id)) };
}

/**
 * The newest run that has ended, as of which histories are told; null for none. Without its label: one run under another
 * name would hide all others.
 */
function headIn(connection: Connection): RunRef | null {
  const newest = newestEnded(connection);
  const run = newest === null ? undefined : historicRun(connection, newest)?.run;
  return run === undefined ? null : { ...run, label: null };
}

/** Without what all of them have in common. */
function inRun(result: TitledResult): WorkstreamInRun {
  const { workstreamId: _id, title: _title, explanation, ...rest } = result;
  return { ...rest, explanation: explanation === null ? null : oneLine(explanation, LINE) };
}

function toolsOf(connection: Connection): ToolsAnswer {
  const runs = listedRuns(connection, { limit: RUNS }).toReversed();
  const inRuns = runs
    .filter(({ tools }) => tools.length > 0)
    .flatMap(({ runId, createdAt: at }) =>
      toolPerformances(connection, runId).map((each) => ({ ...each, runId, at })),
    );
  const byTool = new Map<string, ToolPerformance[]>();
  for (const each of inRuns) {
    const key = JSON.stringify([each.tool, each.model]);
    byTool.set(key, [...(byTool.get(key) ?? []), each]);
  }
  const tools = Array.from(byTool.values(), together).filter((each) => each !== null);
  return { version: 1, runs: runs.length, tools, inRuns };
}

/** What a tool did in all of these. */
function together(all: readonly ToolPerformance[]): ToolPerformance | null {
  const [first] = all;
  if (first === undefined) return null;
  const sum = (what: (each: ToolPerformance) => number): number =>
    all.reduce((total, each) => total + what(each), 0);
  return {
    tool: first.tool,
    model: first.model,
    workstreams: sum((each) => each.workstreams),
    attempts: sum((each) => each.attempts),
    completed: sum((each) => each.completed),
    accepted: sum((each) => each.accepted),
    notAccepted: sum((each) => each.notAccepted),
    falseSuccesses: sum((each) => each.falseSuccesses),
    unknownCosts: sum((each) => each.unknownCosts),
    costUsd: sumKnown(all.map((each) => each.costUsd)),
    inputTokens: sumKnown(all.map((each) => each.inputTokens)),
    outputTokens: sumKnown(all.map((each) => each.outputTokens)),
    seconds: sum((each) => each.seconds),
  };
}
