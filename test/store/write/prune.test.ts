import { expect, test } from 'vitest';
import { settlePatterns } from '../../../src/store/write/patterns.ts';
import { removeRuns } from '../../../src/store/write/prune.ts';
import { failed, opened, record, rowsOf } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

test('with old runs go the patterns that only they had', () => {
  const connection = opened(temporaryFolder());
  const run = (runId: string, ...messages: string[]): void => {
    record(
      connection,
      messages.map((message, index) => failed(`ws-${index}`, message)),
      { runId },
    );
    settlePatterns(connection, runId);
  };
  const [old, young] = ['ma-run-20260101-000001', 'ma-run-20260101-000002'];
  run(old, 'disk is full', 'Cannot find module lodash', 'Cannot find module express', 'row 7 is locked');
  run(young, 'Cannot find module zod', 'row 8 is locked');
  removeRuns(connection, [old]);
  expect(rowsOf(connection, 'SELECT shape FROM error_shapes ORDER BY shape')).toEqual([
    { shape: 'Cannot find module zod' },
    { shape: 'row <*> is locked' },
  ]);
  const patterns = 'SELECT template FROM error_patterns WHERE merged_into IS NULL ORDER BY template';
  expect(rowsOf(connection, patterns)).toEqual([
    { template: 'Cannot find module <*>' },
    { template: 'row <*> is locked' },
  ]);
  removeRuns(connection, [young]);
  expect(rowsOf(connection, 'SELECT * FROM error_patterns')).toEqual([]);
});
