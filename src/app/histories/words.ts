/** What sentences about many runs have in common. */
import type { LookedAt } from '../../domain/history/history.ts';
import { plural } from '../../text/format.ts';

/** "last 30 runs", or with the label that all of them have. */
export const lastRuns = ({ count, last }: LookedAt): string =>
  `last ${plural(count, 'run')}${last.label === null ? '' : ` labelled "${last.label}"`}`;

/** "+ 30 %" for what takes 1.3 times as long. */
export const changeText = (ratio: number): string =>
  `${ratio >= 1 ? '+' : '−'} ${Math.abs((ratio - 1) * 100).toFixed(0)} %`;
