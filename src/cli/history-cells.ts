/** Cells of tables about many runs. */
import type { LookedAt } from '../domain/history/history.ts';
import { type PatternHistory, shortCommit } from '../domain/history/history.ts';
import { plural } from '../text/format.ts';

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

const BARS = '▁▂▃▄▅▆▇█';
/** Most values that are drawn, the last ones. */
const DRAWN = 40;

/** The values as bars, the least as the lowest and the greatest as the highest. */
export function sparkline(values: readonly number[]): string {
  const drawn = values.slice(-DRAWN);
  const least = Math.min(...drawn);
  const range = Math.max(...drawn) - least;
  const bars = drawn.map((value) => {
    const height = range === 0 ? 0 : Math.round(((value - least) / range) * (BARS.length - 1));
    return BARS.charAt(height);
  });
  return bars.join('');
}
