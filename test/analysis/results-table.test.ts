import { describe, expect, test } from 'vitest';
import {
  cellsOf,
  groupsOf,
  headOf,
  ResultsTableBuilder,
  type TabledResult,
} from '../../src/analysis/results-table.ts';
import type { ResultsTable } from '../../src/domain/run-record.ts';

const result = (workstreamId: string, fields: Partial<TabledResult> = {}): TabledResult => ({
  workstreamId,
  base: workstreamId,
  status: 'completed',
  reason: null,
  seconds: 1,
  file: 'workstreams/a.json',
  position: 0,
  matrix: null,
  output: null,
  metrics: {},
  ...fields,
});

function tableOf(results: readonly TabledResult[], limits = { columns: 100, cell: 1_000 }): ResultsTable {
  const builder = new ResultsTableBuilder(limits);
  for (const each of results) builder.add(each);
  return builder.table();
}

describe('columns', () => {
  test('have dotted names where values are in objects, and an array is one value', () => {
    const output = { fit: { loss: 0.5, steps: [1, 2] }, name: 'x', empty: {} };
    const { outputs, rows } = tableOf([result('ws-1', { output })]);
    expect(outputs).toEqual(['fit.loss', 'fit.steps', 'name', 'empty']);
    expect(rows[0]?.outputs).toEqual([0.5, [1, 2], 'x', {}]);
  });

  test.each([5, 'text', [1, { a: 2 }]])('an output that is no object is called output: %j', (output) => {
    const { outputs, rows } = tableOf([result('ws-1', { output })]);
    expect([outputs, rows[0]?.outputs]).toEqual([['output'], [output]]);
  });

  test('are those of all rows, in the order in which they first occur, with null where a row has none', () => {
    const { parameters, metrics, rows } = tableOf([
      result('ws-1', { matrix: { seed: 1 }, metrics: { a: 1 } }),
      result('ws-2', { matrix: { rate: 0.5, seed: 2 }, metrics: { b: 2 } }),
    ]);
    expect(parameters).toEqual(['seed', 'rate']);
    expect(metrics).toEqual(['a', 'b']);
    expect(rows.map((row) => [row.parameters, row.metrics])).toEqual([
      [
        [1, null],
        [1, null],
      ],
      [
        [2, 0.5],
        [null, 2],
      ],
    ]);
  });

  test('of names that mean something to JavaScript are columns like any other', () => {
    const output = JSON.parse('{"__proto__": 1, "constructor": {"toString": 2}}');
    const { outputs, rows } = tableOf([result('ws-1', { output })]);
    expect([outputs, rows[0]?.outputs]).toEqual([
      ['__proto__', 'constructor.toString'],
      [1, 2],
    ]);
  });

  test('beyond the limit are counted and left out', () => {
    const output = Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`o${n}`, n]));
    const { outputs, columnsLeftOut } = tableOf([result('ws-1', { output })], { columns: 5, cell: 100 });
    expect([outputs.length, columnsLeftOut]).toEqual([5, 2]);
  });

  test('are not made of an object of very many fields, or one that is nested deep', () => {
    const wide = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, n]));
    const deep = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
    const { outputs } = tableOf([result('ws-1', { output: { wide, deep } })]);
    expect(outputs).toEqual(['wide', 'deep.a.b.c.d.e']);
  });
});

test('a cell that is too long is cut text', () => {
  const output = { text: 'x'.repeat(50), list: Array.from({ length: 50 }, () => 1) };
  const { rows } = tableOf([result('ws-1', { output })], { columns: 5, cell: 10 });
  expect(rows[0]?.outputs).toEqual(['xxxxxxxxx…', '[1,1,1,1,…']);
});

describe('rows', () => {
  test('are in the order of their values, numbers by size', () => {
    const values = [10, 9, 'b', 'a', true, null, 1.5, -2];
    const { rows } = tableOf(values.map((v, n) => result(`ws-${n}`, { base: 'ws', matrix: { v } })));
    expect(rows.map(({ parameters }) => parameters[0])).toEqual([-2, 1.5, 9, 10, true, 'a', 'b', null]);
  });

  test('of definitions before others in their file, or in files before, come first', () => {
    const { rows } = tableOf([
      result('c', { file: 'workstreams/b.json' }),
      result('b', { position: 1 }),
      result('a', { position: 10 }),
      result('d'),
    ]);
    expect(rows.map(({ workstreamId }) => workstreamId)).toEqual(['d', 'b', 'a', 'c']);
  });
});

test('the head of a file has no name twice, in whatever case', () => {
  const head = headOf({ parameters: ['seed', 'status'], outputs: ['Seed', 'x', ''], metrics: ['x', 'X'] });
  expect(head).toEqual([
    'workstream',
    'status',
    'reason',
    'seconds',
    'seed',
    'matrix.status',
    'output.Seed',
    'x',
    'output.',
    'metric.x',
    'metric.X 2',
  ]);
});

test('groups are the members of each matrix, and others with values in the same columns', () => {
  const table = tableOf([
    result('ws-a-n-1', { base: 'ws-a', matrix: { n: 1 }, output: { x: 1 } }),
    result('ws-a-n-2', { base: 'ws-a', matrix: { n: 2 }, status: 'failed', reason: 'thrown' }),
    result('ws-b-n-1', { base: 'ws-b', position: 1, matrix: { n: 1 } }),
    result('ws-c', { position: 2, output: { y: 1 } }),
    result('ws-d', { position: 3, output: { y: 2 } }),
    result('ws-e', { position: 4, output: { z: 2 } }),
  ]);
  const groups = groupsOf(table).map(({ base, rows, columns }) => [
    base,
    rows.map(({ workstreamId }) => workstreamId),
    columns.map(({ name }) => name),
  ]);
  expect(groups).toEqual([
    ['ws-a', ['ws-a-n-1', 'ws-a-n-2'], ['n', 'x']],
    ['ws-b', ['ws-b-n-1'], ['n']],
    [null, ['ws-c', 'ws-d'], ['y']],
    [null, ['ws-e'], ['z']],
  ]);
  const [first] = groupsOf(table);
  const cells = first?.rows.map((row) => first.columns.map(({ index }) => cellsOf(row)[index]));
  expect(cells).toEqual([
    [1, 1],
    [2, null],
  ]);
});
