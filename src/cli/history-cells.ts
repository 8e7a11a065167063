/** Cells of tables about many runs. */
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

/** "20 % of 60 runs (11–32 %)"; null for too few runs. */
export function rateText({ rate }: PatternHistory): string | null {
  if (rate === null) return null;
  const [value, low, high] = [rate.value, rate.low, rate.high].map((share) => Math.round(share * 100));
  return `${value} % of ${plural(rate.runs, 'run')} (${low}–${high} %)`;
}

/** Most values that are drawn, the last ones. */
const DRAWN = 40;

/** The last values as bars. */
export const recentBars = (values: readonly number[]): string => sparkline(values.slice(-DRAWN));
