/** How a run stands at a moment, from what is stored of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { LiveState, TimeEstimate, WorkstreamInHand } from '../domain/dashboard/answers.ts';
import { knownDurations } from '../store/read/durations.ts';
import { withoutResult } from '../store/read/history-runs.ts';
import { parkedTools } from '../store/read/live/parked-tools.ts';
import {
  type InHandRow,
  type MeasuredDurations,
  measuredDurations,
  plannedTitles,
  type RunNow,
  workstreamsInHand,
} from '../store/read/live/run-changes.ts';
import { isoTime } from '../store/schema/cells.ts';
import type { Connection } from '../store/schema/connection.ts';
import { byNumber } from '../text/by-number.ts';
import { plural } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';

/** Longest title, and longest text of what a workstream says it does. */
const LINE = 300;
/** Most workstreams in hand that are shown, and most that titles are kept of and durations looked up. */
const SHOWN = 1_024;
const PLANNED = 20_000;
/** An estimate is made again after so many milliseconds: it changes slowly. At most a part of the time is spent on it. */
const ESTIMATE_MS = 2_000;
const ESTIMATE_SHARE = 200;
/** Fewer durations say nothing about others. */
const LEAST_MEASURED = 3;

/** Durations: how many, their mean and their variance, in seconds. */
interface Durations {
  count: number;
  mean: number;
  variance: number;
}

/** How a run stands, and when. */
interface Moment {
  run: RunNow;
  rows: readonly InHandRow[];
  ended: number;
  /** Milliseconds since 1970. */
  now: number;
}

/** Reads the live states of one session of a run, until results are withdrawn. Keeps what does not change. */
export class LiveReader {
  readonly #runId: string;
  readonly #logs: string;
  #titles: ReadonlyMap<string, string> | null = null;
  #measured: MeasuredDurations | null = null;
  /** Null where too little is known; undefined as long as nobody has asked. */
  #known: Durations | null | undefined;
  #estimate: { due: number; value: TimeEstimate | null } = { due: Number.NEGATIVE_INFINITY, value: null };

  /** @param logs folder of the run's logs. */
  constructor(runId: string, logs: string) {
    this.#runId = runId;
    this.#logs = logs;
  }

  read(connection: Connection, run: RunNow): LiveState {
    const now = Date.now();
    const rows = workstreamsInHand(connection, this.#runId);
    const ended = run.completed + run.failed + run.skipped;
    return {
      now: new Date(now).toISOString(),
      startedAt: run.startedAt,
      ended,
      completed: run.completed,
      failed: run.failed,
      skipped: run.skipped,
      total: run.total,
      running: rows
        .slice(0, SHOWN)
        .map((row) => this.#running(connection, row))
        .toSorted((a, b) => byNumber(a.agentId, b.agentId)),
      waiting: Math.max(0, run.total - ended - rows.length),
      parked: parkedTools(connection, new Date(now)).map(({ tool, until, why }) => ({
        tool: oneLine(tool, LINE),
        until,
        why: oneLine(why, LINE),
      })),
      estimate: this.#estimateOf(connection, { run, rows, ended, now }),
      canAct: run.socket !== null,
    };
  }

  #running(connection: Connection, row: InHandRow): WorkstreamInHand {
    const id = row.workstream_id;
    this.#titles ??= plannedTitles(connection, this.#runId, PLANNED);
    return {
      workstreamId: oneLine(id, LINE),
      title: oneLine(this.#titles.get(id) ?? id, LINE),
      agentId: oneLine(row.agent_id ?? '', LINE),
      attempt: row.attempt ?? 1,
      since: isoTime(row.since) ?? '',
      fraction: row.fraction,
      text: row.activity === null ? null : oneLine(row.activity, LINE),
      logFile: this.#logOf(id, row.attempt ?? 1),
      host: hostOf(row.agent_id ?? ''),
    };
  }

  #logOf(id: string, attempt: number): string | null {
    const path = join(this.#logs, logName(id, attempt));
    return existsSync(path) ? path : null;
  }

  #estimateOf(connection: Connection, at: Moment): TimeEstimate | null {
    const from = performance.now();
    if (from < this.#estimate.due) return this.#estimate.value;
    const value = this.#newEstimate(connection, at);
    const took = performance.now() - from;
    this.#estimate = { due: from + Math.max(ESTIMATE_MS, took * ESTIMATE_SHARE), value };
    return value;
  }

  #newEstimate(connection: Connection, at: Moment): TimeEstimate | null {
    this.#measured = measuredDurations(connection, this.#runId, this.#measured);
    const { n, sum, squares } = this.#measured;
    const measured = durationsOf(n, sum, squares);
    if (measured !== null && n >= Math.max(LEAST_MEASURED, at.run.agents ?? 1))
      return estimate(measured, `from how long the ${plural(n, 'workstream')} took that have ended`, at);
    // What is not known does not become known, and to look for it takes long.
    if (this.#known === undefined) this.#known = this.#knownOf(connection, at.run);
    if (this.#known === null) return null;
    return estimate(this.#known, 'from how long these took when they last completed', at);
  }

  /** Null where too little is known of what is still to come. */
  #knownOf(connection: Connection, { total }: RunNow): Durations | null {
    if (total > PLANNED) return null;
    const known = [...knownDurations(connection, withoutResult(connection, this.#runId)).values()];
    if (known.length < LEAST_MEASURED) return null;
    const sum = known.reduce((all, each) => all + each, 0);
    const squares = known.reduce((all, each) => all + each * each, 0);
    return durationsOf(known.length, sum, squares);
  }
}

/** An agent of a host of a queue is called `HOST/agent-2`. */
function hostOf(agentId: string): string | null {
  const end = agentId.lastIndexOf('/');
  return end === -1 ? null : oneLine(agentId.slice(0, end), LINE);
}

/** The file of an attempt's output, in the folder of the run's logs. */
export const logName = (workstreamId: string, attempt: number): string =>
  attempt === 1 ? `${workstreamId}.log` : `${workstreamId}.${attempt}.log`;

function durationsOf(count: number, sum: number, squares: number): Durations | null {
  if (count === 0) return null;
  const mean = sum / count;
  return { count, mean, variance: Math.max(0, squares / count - mean * mean) };
}

/**
 * What is left, by the mean of such durations, divided by the agents. The range is that of a sum of so many durations and
 * of a mean that is known from so few, two standard deviations to each side; the longest that is under way is not shared.
 */
function estimate(
  { count, mean, variance }: Durations,
  basis: string,
  { run, rows, ended, now }: Moment,
): TimeEstimate | null {
  const left = run.total - ended;
  if (left <= 0 || mean <= 0) return null;
  const running = rows.map((row) => restOf(row, mean, now));
  const waiting = Math.max(0, left - rows.length);
  const work = waiting * mean + running.reduce((all, each) => all + each, 0);
  const spread = 2 * Math.sqrt(variance * left + (variance / count) * left * left);
  const agents = Math.max(1, Math.min(run.agents ?? 1, left));
  const longest = Math.max(0, ...running);
  const seconds = Math.max(work / agents, longest);
  const low = Math.min(seconds, Math.max(0, (work - spread) / agents));
  return { seconds, low, high: Math.max(seconds, (work + spread) / agents), basis };
}

/** What is left of a workstream that is being executed: what follows from what it says, or else from the mean. */
function restOf({ since, fraction }: InHandRow, mean: number, now: number): number {
  const elapsed = Math.max(0, now - Date.parse(since ?? '')) / 1000;
  if (fraction !== null && fraction > 0.01) return (elapsed * (1 - fraction)) / fraction;
  return Number.isNaN(elapsed) ? mean : Math.max(0, mean - elapsed);
}
