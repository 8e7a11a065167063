import { expect, test } from 'vitest';
import {
  attemptTable,
  errorTable,
  resultTable,
  testCaseTable,
} from '../../../src/store/schema/result-tables.ts';
import { opened } from '../../kit/recorded-run.ts';
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
