import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/schema/database.ts';
import { StoreError } from '../../../src/store/schema/store-error.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import {
  databaseIn,
  finished,
  opened,
  RUN,
  record,
  result,
  rowsOf,
  START,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

describe('a commit that fails', () => {
  test('says that the disk is full, and a later one writes everything', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1'])]);
    recorder.commit();
    connection.pragma('max_page_count = 1');
    recorder.take([finished(result('ws-1', { warnings: ['x'.repeat(100_000)] }))]);
    const kind = (): unknown => {
      try {
        return recorder.commit();
      } catch (error) {
        return error instanceof StoreError ? error.kind : error;
      }
    };
    expect([kind(), kind()]).toEqual(['disk-full', 'disk-full']);
    expect(rowsOf(connection, 'SELECT id FROM agent_results')).toEqual([]);
    connection.pragma('max_page_count = 1000000');
    expect(kind()).toBeUndefined();
    expect(rowsOf(connection, 'SELECT workstream_id FROM agent_results')).toEqual([
      { workstream_id: 'ws-1' },
    ]);
  });

  test('says that another process keeps the database locked', () => {
    const folder = temporaryFolder();
    const connection = openDatabase(databaseIn(folder), { busyTimeoutMs: 1 });
    const other = opened(folder);
    const recorder = new SqliteRecorder(connection);
    recorder.take([started([])]);
    other.exec('BEGIN IMMEDIATE');
    expect(() => recorder.commit()).toThrow(
      `The database ${databaseIn(folder)} is locked by another process. Wait until that has ended, or end it, and try again.`,
    );
    other.exec('ROLLBACK');
    recorder.commit();
    expect(rowsOf(other, 'SELECT run_id FROM consolidated_runs')).toEqual([{ run_id: RUN }]);
    connection.close();
  });
});

describe('the id of a run', () => {
  test('is given once', () => {
    const folder = temporaryFolder();
    const one = new SqliteRecorder(opened(folder));
    const other = new SqliteRecorder(opened(folder));
    expect([one.claim(RUN, START), other.claim(RUN, START), one.claim(RUN, START)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('that was claimed is filled in by the start', () => {
    const connection = opened(temporaryFolder());
    const recorder = new SqliteRecorder(connection);
    recorder.claim(RUN, START);
    recorder.take([started(['ws-1', 'ws-2'])]);
    recorder.commit();
    expect(rowsOf(connection, 'SELECT total_workstreams, agents_count FROM consolidated_runs')).toEqual([
      { total_workstreams: 2, agents_count: 2 },
    ]);
  });

  test('of another run is refused', () => {
    const connection = opened(temporaryFolder());
    record(connection, [result('ws-1')]);
    const recorder = new SqliteRecorder(connection);
    recorder.take([started(['ws-1'])]);
    expect(() => recorder.commit()).toThrow(/has a run of this id already/);
  });
});
