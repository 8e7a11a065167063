/** Databases as the older system left them: three tables, no version, times without a zone. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { Connection } from '../../src/store/schema/connection.ts';
import { openForReading } from '../../src/store/schema/database.ts';
import { databaseIn, opened } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

export const OLD_RUN = 'ma-run-20240506-070809';

export function makeOlderDatabase(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path);
  database.exec(`
    CREATE TABLE consolidated_runs (
      run_id TEXT PRIMARY KEY, timestamp TEXT, total_workstreams INTEGER, completed_count INTEGER,
      failed_count INTEGER, skipped_count INTEGER, total_files_modified INTEGER, total_commits INTEGER,
      total_errors INTEGER, total_warnings INTEGER, execution_summary TEXT, recommendations TEXT,
      created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE agent_results (
      id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, agent_id TEXT, workstream_id TEXT, status TEXT,
      start_time TEXT, end_time TEXT, duration_seconds REAL, files_modified TEXT, commits_created TEXT,
      errors TEXT, warnings TEXT, test_results TEXT, metadata TEXT,
      FOREIGN KEY (run_id) REFERENCES consolidated_runs (run_id));
    CREATE TABLE consolidated_errors (
      id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, error_type TEXT, error_message TEXT,
      workstream_id TEXT, agent_id TEXT, timestamp TEXT, stack_trace TEXT);
    INSERT INTO consolidated_runs VALUES ('${OLD_RUN}', '2024-05-06T07:08:09.123456', 4, 2, 1, 1, 2, 1, 2, 1,
      '{"total_duration": 12.5}', '["Review the errors"]', '2024-05-06 07:09:00');
    INSERT INTO agent_results
      (run_id, agent_id, workstream_id, status, start_time, end_time, duration_seconds, files_modified,
       commits_created, errors, warnings, test_results, metadata)
    VALUES
      ('${OLD_RUN}', 'agent-1', 'ws-1', 'completed', '2024-05-06T07:08:10', '2024-05-06T07:08:20', 10.0,
       '["a.py", "b.py"]', '["abc1234"]', '[]', '[]', '{"passed": 3}', '{"branch": "main"}'),
      ('${OLD_RUN}', 'agent-2', 'ws-2', 'failed', '2024-05-06T07:08:10', '2024-05-06T07:08:12', 2.5,
       'not json', '[]', '["Timeout after 30 seconds", {"code": 7}]', '["slow"]', NULL, '{'),
      ('${OLD_RUN}', 'agent-1', 'ws-3', 'blocked', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      ('${OLD_RUN}', 'agent-1', 'ws-1', 'completed', NULL, NULL, NULL, '"a.py"', '7', '{}', '[]', '[]', '[]');
    INSERT INTO consolidated_errors (run_id, error_type, error_message, workstream_id, agent_id, timestamp, stack_trace)
    VALUES
      ('${OLD_RUN}', 'timeout', 'Timeout after 30 seconds', 'ws-2', 'agent-2', '2024-05-06T07:08:12', 'Traceback'),
      ('${OLD_RUN}', 'timeout', 'Timeout after 31 seconds', 'ws-3', NULL, NULL, NULL),
      ('${OLD_RUN}', NULL, NULL, NULL, NULL, NULL, NULL);
  `);
  database.close();
}

/** Connections to the older system's database, once migrated and once only read. */
export function olderDatabases(): Connection[] {
  const migrated = temporaryFolder();
  makeOlderDatabase(databaseIn(migrated));
  const read = temporaryFolder();
  makeOlderDatabase(databaseIn(read));
  const reader = openForReading(databaseIn(read));
  if (reader === null) throw new Error('the database has gone');
  onTestFinished(() => void reader.close());
  return [opened(migrated), reader];
}
