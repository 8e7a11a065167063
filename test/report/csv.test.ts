import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/domain/json.ts';
import type { ResultsTable } from '../../src/domain/run-record.ts';
import { csvOf } from '../../src/report/csv.ts';

const tableOf = (outputs: string[], cells: Json[][]): ResultsTable => ({
  parameters: [],
  outputs,
  metrics: [],
  rows: cells.map((row, index) => ({
    workstreamId: `ws-${index}`,
    base: `ws-${index}`,
    status: 'completed',
    reason: null,
    seconds: 0.5,
    parameters: [],
    outputs: row,
    metrics: [],
  })),
  total: cells.length,
  columnsLeftOut: 0,
});

const csv = (outputs: string[], cells: Json[][]): string => [...csvOf(tableOf(outputs, cells))].join('');

/** As Python's csv module reads it. */
function readByPython(text: string): string[][] {
  const program =
    'import csv,io,json,sys; print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode(), newline="")))))';
  return JSON.parse(execFileSync('python3', ['-c', program], { input: text, encoding: 'utf8' }));
}

test('has a head, and lines that end as RFC 4180 says', () => {
  expect(csv(['a', 'b,c'], [[1, 'x']])).toBe(
    'workstream,status,reason,seconds,a,"b,c"\r\nws-0,completed,,0.5,1,x\r\n',
  );
});

test.each<[Json, string]>([
  [null, ''],
  ['', '""'],
  [true, 'true'],
  [1e21, '1e+21'],
  [-0.5, '-0.5'],
  ['a "b"', '"a ""b"""'],
  ['a\nb', '"a\nb"'],
  [[1, 'a,b'], '"[1,""a,b""]"'],
  [{}, '{}'],
  ['a\0b', 'a\uFFFDb'],
])('the value %j is written as %j', (value, field) => {
  expect(csv(['x'], [[value]]).split('\r\n')[1]).toBe(`ws-0,completed,,0.5,${field}`);
});

test.each([
  '=HYPERLINK("http://x")',
  '=1+1',
  "+cmd|' /C calc'!A0",
  '-2+3+cmd|x',
  '@SUM(1)',
  '\t=1',
  '\uFF1D1',
])('a spreadsheet takes %j for text', (text) => {
  const [, row] = readByPython(csv(['x'], [[text]]));
  expect(row?.at(-1)).toBe(`'${text}`);
});

test.each(['-O2', '--flag=x', '@scope/package', '+1', '-1.5'])(
  '%j runs nothing, and stays as it is',
  (text) => {
    const [, row] = readByPython(csv(['x'], [[text]]));
    expect(row?.at(-1)).toBe(text);
  },
);

test('any text is read by Python’s csv module as it was', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map((any) => any.toWellFormed());
  const harmless = text.filter((any) => !/\0|^[=\uFF1D\t\r+@\uFF0B\uFF0D\uFF20-]/.test(any));
  fc.assert(
    fc.property(fc.array(fc.tuple(harmless, harmless), { minLength: 1, maxLength: 50 }), (rows) => {
      const read = readByPython(csv(['x', 'y'], rows));
      expect(read.slice(1).map((row) => row.slice(-2))).toEqual(rows);
    }),
    { seed: 18, numRuns: 20 },
  );
});
