import type { TrialResult, TuningResult } from '../domain/tuning.ts';
import { bar, type Glyphs } from '../progress/style.ts';
import { percent } from '../text/format.ts';
import { table } from './print.ts';

/** Columns of the longest bar of throughput, and of the others. */
const WIDE = 30;
const NARROW = 10;

/** The curve: a line for each number of agents, with bars for throughput, memory and efficiency. */
export function tuningChart({ trials, advice }: TuningResult, glyphs: Glyphs): string {
  const best = Math.max(...trials.map(({ throughput }) => throughput));
  const most = Math.max(...trials.map(({ memoryBytes }) => memoryBytes ?? 0));
  const line = (trial: TrialResult): (string | number | null)[] => {
    const { agents, throughput, memoryBytes, speedup, efficiency } = trial;
    return [
      agents,
      figure(throughput),
      bar(best === 0 ? 0 : throughput / best, WIDE, glyphs),
      memoryBytes === null ? null : `${Math.round(memoryBytes / 1e6)} MB`,
      memoryBytes === null ? '' : bar(memoryBytes / most, NARROW, glyphs),
      figure(speedup),
      percent(efficiency),
      bar(efficiency, NARROW, glyphs),
      agents === advice?.agents ? '<' : '',
    ];
  };
  return table(head(trials), trials.map(line));
}

/** Where one agent was not tried nothing is known of its speed. */
function head([fewest]: readonly TrialResult[]): string[] {
  const isOne = fewest === undefined || fewest.agents === 1;
  const speedup = isOne ? 'speed-up' : `against ${fewest.agents} agents`;
  return ['agents', 'workstreams/s', '', 'memory', '', speedup, 'efficiency', '', ''];
}

/** Three digits that count. */
const figure = (value: number): string => String(Number(value.toPrecision(3)));
