/** Cells of tables about many runs. */
import type { LookedAt } from '../domain/history/history.ts';
import { type PatternHistory, shortCommit } from '../domain/history/history.ts';
import { plural } from '../text/format.ts';
import { sparkline } from '../text/sparkline.ts';

/** "1a2b3c4d5e..6f7a8b9c0d", the commits among which it broke; null where they are not known. */
export function commitsText({ commitRange }: PatternHistory): string | null {
  if (commitRange === null) return null;
  const [from, to] = [commitRange.from, commitRange.to].map((commit) =>
    shortCommit({ commit, isDirty: null }),
  );
  return `${from}..${to}`;
}

/** "last 30 runs", or with the label that all of them have. */
export const lastRuns = ({ count, last }: LookedAt): string =>
  `last ${plural(count, 'run')}${last.label === null ? '' : ` labelled "${last.label}"`}`;

/** "20 % of 60 runs (11–32 %)"; null for too few runs. */
export function rateText({ rate }: PatternHistory): string | null {
  if (rate === null) return null;
  const [value, low, high] = [rate.value, rate.low, rate.high].map((share) => Math.round(share * 100));
  return `${value} % of ${plural(rate.runs, 'run')} (${low}–${high} %)`;
}

/** "+ 30 %" for what takes 1.3 times as long. */
export const changeText = (ratio: number): string =>
  `${ratio >= 1 ? '+' : '−'} ${Math.abs((ratio - 1) * 100).toFixed(0)} %`;

/** Most values that are drawn, the last ones. */
const DRAWN = 40;

/** The last values as bars. */
export const recentBars = (values: readonly number[]): string => sparkline(values.slice(-DRAWN));
