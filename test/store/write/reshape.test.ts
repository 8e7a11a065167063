import { expect, test, vi } from 'vitest';
import { errorPatterns } from '../../../src/store/read/errors.ts';
import type { Connection } from '../../../src/store/schema/connection.ts';
import { settlePatterns } from '../../../src/store/write/patterns.ts';
import { reshapeErrors } from '../../../src/store/write/reshape.ts';
import { databaseIn, failed, opened, RUN, record, rowsOf } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeOlderDatabase, OLD_RUN } from '../older-system.ts';

const patternIds = (connection: Connection, runId = RUN): [string, number][] =>
  errorPatterns(connection, runId, 100).shown.map(({ id, count }) => [id, count]);

/** Lets a database look as if other rules had made its shapes: all of these messages are one shape of theirs. */
function asByOtherRules(connection: Connection, messages: string): void {
  connection.exec(`
    UPDATE consolidated_errors SET shape_id = '0-00000000000000aa', pattern = 'old' WHERE error_message LIKE '${messages}';
    DELETE FROM error_shapes; DELETE FROM error_patterns;
    INSERT INTO error_patterns VALUES ('p-0000000a', 'thrown', 'old', '2026-01-01T00:00:00.000Z', NULL);
    INSERT INTO error_shapes VALUES ('0-00000000000000aa', 'thrown', 'old', 1, 'p-0000000a');`);
}

test('errors of the older system have patterns as soon as their database is opened for writing', () => {
  const folder = temporaryFolder();
  makeOlderDatabase(databaseIn(folder));
  const connection = opened(folder);
  expect(rowsOf(connection, 'SELECT COUNT(*) AS n FROM consolidated_errors WHERE shape_id IS NULL')).toEqual([
    { n: 0 },
  ]);
  expect(rowsOf(connection, 'SELECT error_type, template FROM error_patterns ORDER BY 1')).toEqual([
    { error_type: 'timeout', template: 'Timeout after <*>' },
    { error_type: 'unknown', template: '' },
  ]);
  expect(patternIds(connection, OLD_RUN).map(([, count]) => count)).toEqual([2, 1]);
});

test('what has shapes of the present rules is left as it is', () => {
  const connection = opened(temporaryFolder());
  record(connection, [failed('ws-1', 'no'), failed('ws-2', 'row 7 is locked')]);
  settlePatterns(connection, RUN);
  const all = (): unknown[] => rowsOf(connection, 'SELECT * FROM errors_by_pattern');
  const before = all();
  reshapeErrors(connection);
  expect(all()).toEqual(before);
});

test('under other rules an id stays where most of its errors are', () => {
  const connection = opened(temporaryFolder());
  record(connection, [
    failed('ws-1', 'the disk is full'),
    failed('ws-2', 'the disk is full'),
    failed('ws-3', 'the tape is full of holes'),
  ]);
  asByOtherRules(connection, 'the %');
  reshapeErrors(connection);
  const [most, rest] = patternIds(connection);
  expect(most).toEqual(['p-0000000a', 2]);
  expect(rest?.[0]).not.toBe('p-0000000a');
});

test('an id whose errors went to an older pattern leads there', () => {
  const connection = opened(temporaryFolder());
  record(connection, [
    failed('ws-1', 'row 7 is locked'),
    failed('ws-2', 'row 8 is locked'),
    failed('ws-3', 'row x is locked'),
  ]);
  asByOtherRules(connection, 'row 7%');
  connection.exec(`
    UPDATE consolidated_errors SET shape_id = '0-00000000000000bb', pattern = 'young' WHERE error_message LIKE 'row 8%';
    INSERT INTO error_patterns VALUES ('p-0000000b', 'thrown', 'young', '2026-01-02T00:00:00.000Z', NULL);
    INSERT INTO error_shapes VALUES ('0-00000000000000bb', 'thrown', 'young', 1, 'p-0000000b');`);
  reshapeErrors(connection);
  expect(patternIds(connection)[0]).toEqual(['p-0000000a', 2]);
  expect(
    rowsOf(connection, "SELECT merged_into FROM error_patterns WHERE pattern_id = 'p-0000000b'"),
  ).toEqual([{ merged_into: 'p-0000000a' }]);
});

test('how far it is goes to standard error once it has taken a second', () => {
  const connection = opened(temporaryFolder());
  record(connection, [failed('ws-1', 'a'), failed('ws-2', 'b'), failed('ws-3', 'c')]);
  connection.exec('UPDATE consolidated_errors SET shape_id = NULL');
  const clock = vi.spyOn(performance, 'now');
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const times = [0, 500, 1200];
  clock.mockImplementation(() => times.shift() ?? 1300);
  reshapeErrors(connection);
  expect(stderr.mock.calls.map(([text]) => text)).toEqual([
    'millrace: sorting the errors of earlier runs into patterns, 1 of 3\n',
  ]);
  vi.restoreAllMocks();
});
