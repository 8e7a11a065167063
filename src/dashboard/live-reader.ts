/** How a run stands at a moment, from what is stored of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type {
  EstimateBasis,
  LiveState,
  TimeEstimate,
  WorkstreamInHand,
} from '../domain/dashboard/answers.ts';
import { knownDurations } from '../store/read/durations.ts';
import { hasOtherRuns, withoutResult } from '../store/read/history-runs.ts';
import { parkedTools } from '../store/read/live/parked-tools.ts';
import {
  type DurationScale,
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
import { oneLine } from '../text/printable.ts';
import {
  addDuration,
  type DurationGroups,
  type Elapsed,
  GROUPS_PER_E,
  LEAST_DURATION,
  timeLeft,
} from './time-left.ts';

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
const SCALE: DurationScale = { least: LEAST_DURATION, perE: GROUPS_PER_E };

/** How long what is still to end took in earlier runs. */
interface KnownBefore {
  groups: DurationGroups;
  basis: EstimateBasis;
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
  /** Null where too little is known; undefined until it is looked up. */
  #known: KnownBefore | null | undefined;
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
    this.#measured = measuredDurations(connection, this.#runId, SCALE, this.#measured);
    const { n, buckets } = this.#measured;
    if (n >= Math.max(LEAST_MEASURED, at.run.agents ?? 1)) {
      const of = Math.max(n, at.run.completed + at.run.failed);
      return estimate(buckets, { kind: 'this-run', known: n, of }, at);
    }
    // What is not known does not become known, and to look for it takes long.
    if (this.#known === undefined) this.#known = this.#knownOf(connection, at.run);
    if (this.#known === null) return null;
    return estimate(this.#known.groups, this.#known.basis, at);
  }

  /** Null where too little is known of what is still to come. */
  #knownOf(connection: Connection, { total }: RunNow): KnownBefore | null {
    if (total > PLANNED || !hasOtherRuns(connection, this.#runId)) return null;
    const left = withoutResult(connection, this.#runId);
    const known = [...knownDurations(connection, left).values()];
    if (known.length < LEAST_MEASURED) return null;
    const groups: DurationGroups = new Map();
    for (const seconds of known) addDuration(groups, seconds);
    return { groups, basis: { kind: 'earlier-runs', known: known.length, of: left.length } };
  }
}

/** What is left by such durations, and by how long those under way take already. */
function estimate(
  groups: DurationGroups,
  basis: EstimateBasis,
  { run, rows, ended, now }: Moment,
): TimeEstimate | null {
  const waiting = Math.max(0, run.total - ended - rows.length);
  const running = rows.map(({ since, fraction }): Elapsed => {
    const elapsed = Math.max(0, now - Date.parse(since ?? '')) / 1000;
    return { elapsed: Number.isNaN(elapsed) ? 0 : elapsed, fraction };
  });
  const left = timeLeft(groups, { waiting, running, agents: run.agents ?? 1 });
  return left === null ? null : { ...left, basis };
}

/** An agent of a host of a queue is called `HOST/agent-2`. */
function hostOf(agentId: string): string | null {
  const end = agentId.lastIndexOf('/');
  return end === -1 ? null : oneLine(agentId.slice(0, end), LINE);
}

/** The file of an attempt's output, in the folder of the run's logs. */
export const logName = (workstreamId: string, attempt: number): string =>
  attempt === 1 ? `${workstreamId}.log` : `${workstreamId}.${attempt}.log`;
