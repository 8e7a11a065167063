import { expect, test } from 'vitest';
import { axesOf, byParameters, chartOf, resultsOf, scaleFor } from '../../../src/web/model/results.ts';
import { failed, runOf, workstream } from '../kit.ts';

const cell = (codec: string, level: number, ratio: number) =>
  workstream(`${codec}-${level}`, {
    matrix: { codec, level },
    output: { ratio, speed: { mb: level * 10 } },
    metrics: { peak: level },
  });

const run = runOf([
  cell('gzip', 1, 3),
  cell('gzip', 9, 5),
  cell('xz', 1, 4),
  failed('xz-9', 'out-of-memory', { matrix: { codec: 'xz', level: 9 } }),
]);

const results = () => {
  const found = resultsOf(run);
  if (found === null) throw new Error('no results');
  return found;
};

test('parameters, outputs with dots, and metrics are columns', () => {
  expect(results().columns.map(({ name, group, isNumber }) => [name, group, isNumber])).toEqual([
    ['codec', 'parameters', false],
    ['level', 'parameters', true],
    ['ratio', 'outputs', true],
    ['speed.mb', 'outputs', true],
    ['peak', 'metrics', true],
  ]);
});

test('a cell that failed keeps its row', () => {
  expect(results().rows).toHaveLength(4);
});

test('a column that is a parameter and an output is two', () => {
  const same = resultsOf(
    runOf(
      [1, 2].map((level) => workstream(`ws-${level}`, { matrix: { level }, output: { level: level * 2 } })),
    ),
  );
  expect(same?.columns.map(({ name }) => name)).toEqual(['level', 'output.level']);
});

test('a run without matrix and metrics has no results', () => {
  expect(resultsOf(runOf([workstream('a'), workstream('b', { output: 1 })]))).toBeNull();
});

test('a number is drawn against the parameter with most values, with a line for another', () => {
  expect(axesOf(results(), { x: null, y: null })).toEqual({
    x: 'level',
    y: 'peak',
    line: 'codec',
    panel: null,
  });
  expect(axesOf(results(), { x: 'codec', y: 'ratio' })).toEqual({
    x: 'codec',
    y: 'ratio',
    line: 'level',
    panel: null,
  });
  expect(axesOf(results(), { x: 'gone', y: 'gone' })?.x).toBe('level');
});

test('lines go through the means of points that share a place', () => {
  const seeds = runOf(
    [1, 2, 3].map((seed) => workstream(`ws-${seed}`, { matrix: { seed, size: 7 }, metrics: { loss: seed } })),
  );
  const found = resultsOf(seeds);
  if (found === null) throw new Error('no results');
  const chart = chartOf(found, { x: 'size', y: 'loss', line: null, panel: null });
  expect(chart.panels[0]?.lines[0]?.means).toEqual([[7, 2]]);
  expect(chart.panels[0]?.lines[0]?.points).toHaveLength(3);
});

test('an axis has round ticks around its values, and powers of ten where they differ much', () => {
  expect(scaleFor([2.3, 7.4]).ticks).toEqual([2, 4, 6, 8]);
  expect(scaleFor([1, 5000]).ticks).toEqual([1, 10, 100, 1000, 10_000]);
  expect(scaleFor([5]).ticks.length).toBeGreaterThan(1);
  expect(scaleFor([0, 0]).share(0)).not.toBeNaN();
  expect(scaleFor([]).ticks).toEqual([]);
});

test('rows are in the order of their parameters, numbers by their size', () => {
  const found = resultsOf(
    runOf([
      workstream('c', { matrix: { rate: 10, size: 1 } }),
      workstream('b', { matrix: { rate: 9, size: 2 } }),
      workstream('a', { matrix: { rate: 9, size: 1 } }),
    ]),
  );
  if (found === null) throw new Error('no results');
  const order = found.rows.toSorted((a, b) => byParameters(found.columns, a, b));
  expect(order.map(({ workstream: { id } }) => id)).toEqual(['a', 'b', 'c']);
});
