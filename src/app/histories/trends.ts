/** How long workstreams take over runs: what `trends` prints. */
import {
  analyseDurations,
  type DurationAnalysis,
  durationChanges,
  type WorkstreamDurations,
} from '../../analysis/durations.ts';
import type { LookedAt, RunRef } from '../../domain/history/history.ts';
import type { Trend, TrendsDocument } from '../../domain/history/trends-document.ts';
import { runsUpTo } from '../../store/read/history-runs.ts';
import { RunHistory } from '../../store/read/run-history.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { plural } from '../../text/format.ts';
import { changeText, lastRuns } from './words.ts';

/** As of a run, from so many runs at most. */
export function trendsDocument(connection: Connection, head: RunRef, length: number): TrendsDocument {
  const history = new RunHistory(connection, runsUpTo(connection, head, length));
  const { workstreams, wholeRun } = analyseDurations(history.durations(null));
  const [first = head, last = head] = [history.runs[0]?.run, history.runs.at(-1)?.run];
  const runs = { count: history.runs.length, first, last };
  const shift = wholeRun.kind === 'shifted' ? wholeRun.shift : null;
  const all = workstreams.map(toTrend).toSorted(byUrgency);
  return { version: 1, verdict: verdictOf(all, runs, wholeRun), runs, wholeRun: shift, workstreams: all };
}

function toTrend(durations: WorkstreamDurations): Trend {
  const { workstreamId, points, verdict } = durations;
  const shift = verdict.kind === 'shifted' ? verdict.shift : null;
  return {
    workstreamId,
    state: verdict.kind !== 'shifted' ? verdict.kind : verdict.shift.ratio > 1 ? 'slower' : 'faster',
    shift,
    changes: durationChanges(durations),
    medianSeconds: medianOf(points.map((point) => point.seconds)),
    points: points.map((point) => ({ runId: point.run.runId, seconds: point.seconds })),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

const ORDER: readonly Trend['state'][] = ['slower', 'faster', 'steady', 'too-few-runs'];

/** By how much it changed; what did not, by how long it takes. */
function byUrgency(a: Trend, b: Trend): number {
  const state = Math.min(ORDER.indexOf(a.state), 2) - Math.min(ORDER.indexOf(b.state), 2);
  const size = ({ shift, medianSeconds }: Trend): number =>
    shift === null ? medianSeconds : Math.abs(Math.log(shift.ratio));
  return state || size(b) - size(a);
}

function verdictOf(all: readonly Trend[], runs: LookedAt, wholeRun: DurationAnalysis['wholeRun']): string {
  const count = (state: Trend['state']): number => all.filter((trend) => trend.state === state).length;
  const [slower, faster, unknown] = [count('slower'), count('faster'), count('too-few-runs')];
  if (all.length === 0) return `Nothing completed in the ${lastRuns(runs)}.`;
  if (unknown === all.length)
    return `Too few runs: with ${plural(runs.count, 'run')} nothing can be said about ${plural(unknown, 'workstream')}.`;
  const whole =
    wholeRun.kind === 'shifted' ? ` The run as a whole takes ${changeText(wholeRun.shift.ratio)}.` : '';
  const few = unknown === 0 ? '' : ` Of ${plural(unknown, 'workstream')} too few runs are known.`;
  const changed =
    slower + faster === 0
      ? `None of ${plural(all.length, 'workstream')} became slower or faster`
      : `${slower} of ${plural(all.length, 'workstream')} became slower and ${faster} faster`;
  return `${changed} in the ${lastRuns(runs)}.${whole}${few}`;
}
