import { expect, test } from 'vitest';
import { tuningChart } from '../../src/cli/tuning-chart.ts';
import type { TuningResult } from '../../src/domain/tuning.ts';
import { ASCII } from '../../src/progress/style.ts';
import { compareTrials } from '../../src/tune/agents-advice.ts';

const resultOf = (runs: [agents: number, seconds: number, memory: number | null][]): TuningResult => ({
  machine: { name: 'ada, 2 cores', cores: 2, memoryBytes: null },
  workstreams: 100,
  sample: 100,
  leftOut: [],
  trials: compareTrials(
    runs.map(([agents, seconds, memoryBytes]) => ({
      agents,
      seconds,
      memoryBytes,
      completed: 100,
      total: 100,
    })),
  ),
  advice: { agents: 2, reason: 'enough', explanation: '' },
  failures: 0,
});

test('a line for each number of agents, with bars, and a mark at the one that is recommended', () => {
  const chart = tuningChart(
    resultOf([
      [1, 20, 80e6],
      [2, 10, 100e6],
      [4, 10, 160e6],
    ]),
    ASCII,
  );
  expect(chart.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
    ['agents', 'workstreams/s', 'memory', 'speed-up', 'efficiency'],
    ['1', '5', `${'#'.repeat(15)}${'.'.repeat(15)}`, '80 MB', '#####.....', '1', '100.0 %', '##########'],
    ['2', '10', '#'.repeat(30), '100 MB', '######....', '2', '100.0 %', '##########', '<'],
    ['4', '10', '#'.repeat(30), '160 MB', '##########', '2', '50.0 %', '#####.....'],
  ]);
});

test('where memory is not known there is no bar of it', () => {
  expect(tuningChart(resultOf([[1, 20, null]]), ASCII)).toMatch(/^1 .*##  –\s+1 +100\.0 %/m);
});
