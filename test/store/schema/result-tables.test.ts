import { expect, test } from 'vitest';
import { maybeReviewed } from '../../../src/store/read/attempts.ts';
import { NO_TESTS } from '../../../src/store/schema/result-cells.ts';
import {
  attemptTable,
  errorTable,
  isPlain,
  resultTable,
  testCaseTable,
} from '../../../src/store/schema/result-tables.ts';
import { insertInto } from '../../../src/store/schema/table.ts';
import type { ResultFields } from '../../kit/completed-result.ts';
import { testResult } from '../../kit/definitions.ts';
import { failed, opened, result, rowsOf, skipped } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

test.each([resultTable, attemptTable, errorTable, testCaseTable])(
  'every column of $name is described',
  ({ name, columns }) => {
    const stored = opened(temporaryFolder())
      .prepare<[string], string>("SELECT name FROM pragma_table_info(?) WHERE name <> 'id'")
      .pluck()
      .all(name);
    expect(columns.toSorted()).toEqual(stored.toSorted());
  },
);

test('a plain result has the same row whether its plain cells are computed or not', () => {
  const connection = opened(temporaryFolder());
  const plain = [
    result('ws-1'),
    result('ws-2', {
      cpuSeconds: null,
      metadata: {
        kind: 'review',
        priority: 3,
        definition: { "it's": ['odd'] },
        steps: [{ id: 'a', kind: 'run', status: 'completed', duration_seconds: 1, exit_code: 0 }],
      },
    }),
  ];
  expect(plain.map(isPlain)).toEqual([true, true]);
  const { plainRow, valuesOf, addPlainValues } = resultTable;
  const inserted = (rows: readonly string[] | undefined, values: unknown[]): unknown[] => {
    connection.prepare(`INSERT ${insertInto(resultTable, rows)}`).run(values);
    const all = rowsOf(connection, `SELECT ${resultTable.columns.join(', ')} FROM agent_results`);
    connection.exec('DELETE FROM agent_results');
    return all;
  };
  const values: Parameters<typeof addPlainValues>[1] = [];
  for (const one of plain) addPlainValues(one, values);
  expect(inserted([plainRow, plainRow], values)).toEqual(
    plain.flatMap((one) => inserted(undefined, valuesOf(one))),
  );
});

const tests = { total: 1, passed: 1, failed: 0, manual: 0, cases: null, tests: [testResult('a', 'passed')] };

const UNUSUAL: [string, ResultFields][] = [
  ['attempts', { attempts: 2 }],
  ['warnings', { warnings: ['odd'] }],
  ['files', { filesModified: ['a.ts'] }],
  ['commits', { commitsCreated: ['abc'] }],
  ['errors', { errors: [{ type: 'thrown', message: 'boom' }] }],
  ['tests', { testResults: tests }],
  ['a manual check', { testResults: { ...tests, total: 0, passed: 0, manual: 1 } }],
  ['a log', { logFile: 'x.log' }],
  ['an explanation', { explanation: 'odd' }],
  ['an output', { metadata: { output: 0 } }],
  ['metrics', { metadata: { metrics: { x: 0 } } }],
];

test.each(UNUSUAL)('a result with %s is not plain', (_, fields) => {
  expect(isPlain(result('ws-1', fields))).toBe(false);
});

test('one that failed or was skipped is not plain', () => {
  expect([isPlain(failed('ws-1', 'boom')), isPlain(skipped('ws-1'))]).toEqual([false, false]);
});

test('what a report lists is found without reading the rows of plain results', () => {
  const connection = opened(temporaryFolder());
  const conditions = [
    `test_results <> '${NO_TESTS}'`,
    "warnings <> '[]'",
    "files_modified <> '[]'",
    "commits_created <> '[]'",
    'attempts > 1',
    'tool IS NOT NULL',
    'branch IS NOT NULL',
    'merge_status IS NOT NULL',
  ];
  for (const condition of conditions) {
    const sql = `EXPLAIN QUERY PLAN SELECT metadata FROM agent_results WHERE run_id = 'x' AND ${condition} ORDER BY id`;
    expect(rowsOf(connection, sql)).toMatchObject([
      { detail: 'SEARCH agent_results USING INDEX agent_results_noted (run_id=?)' },
    ]);
  }
});

test('what was reviewed is found by the same index', () => {
  const connection = opened(temporaryFolder());
  const sql = `EXPLAIN QUERY PLAN SELECT id FROM agent_results r WHERE run_id = 'x' AND ${maybeReviewed('r')}`;
  expect(rowsOf(connection, sql)).toMatchObject([
    { detail: 'SEARCH r USING INDEX agent_results_noted (run_id=?)' },
  ]);
});
