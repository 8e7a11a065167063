import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../src/store/schema/database.ts';
import { migrate, SCHEMA_VERSION } from '../../../src/store/schema/migrate.ts';
import { migrations } from '../../../src/store/schema/migrations/all.ts';
import { StoreError } from '../../../src/store/schema/store-error.ts';
import { databaseIn, opened } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeOlderDatabase, OLD_RUN } from '../older-system.ts';

const PUBLIC = {
  consolidated_runs:
    'run_id timestamp total_workstreams completed_count failed_count skipped_count total_files_modified ' +
    'total_commits total_errors total_warnings execution_summary recommendations created_at',
  agent_results:
    'id run_id agent_id workstream_id status start_time end_time duration_seconds files_modified ' +
    'commits_created errors warnings test_results metadata',
  consolidated_errors: 'id run_id error_type error_message workstream_id agent_id timestamp stack_trace',
};

test('an empty database gets the schema of schema.sql', async () => {
  const statements = opened(temporaryFolder())
    .prepare<[], string>(
      'SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name',
    )
    .pluck()
    .all();
  await expect(`${statements.join(';\n\n')};\n`).toMatchFileSnapshot('./schema.sql');
});

test.each(Object.entries(PUBLIC))(
  'the first migration makes %s with its public columns',
  (table, columns) => {
    const database = new Database(':memory:');
    database.exec(migrations[0] ?? '');
    const found = database
      .prepare<[string], string>('SELECT name FROM pragma_table_info(?)')
      .pluck()
      .all(table);
    expect(found.join(' ')).toBe(columns);
  },
);

test('a database of the older system is taken over with its rows', () => {
  const folder = temporaryFolder();
  makeOlderDatabase(databaseIn(folder));
  const connection = opened(folder);
  expect(connection.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
  const count = (table: string): unknown => connection.prepare(`SELECT COUNT(*) FROM ${table}`).pluck().get();
  expect([count('consolidated_runs'), count('agent_results'), count('consolidated_errors')]).toEqual([
    1, 4, 3,
  ]);
  expect(
    connection.prepare('SELECT run_id, total_errors, created_at, state FROM consolidated_runs').get(),
  ).toEqual({
    run_id: OLD_RUN,
    total_errors: 2,
    created_at: '2024-05-06 07:09:00',
    state: null,
  });
});

test('whoever reads a new database while it is made sees none of it or all', () => {
  const path = join(temporaryFolder(), 'new.db');
  const seen = new Set<unknown>();
  const reader = new Database(path);
  reader.pragma('journal_mode = WAL');
  const look = (): void => void seen.add(reader.pragma('user_version', { simple: true }));
  const maker = new Database(path, { verbose: look });
  onTestFinished(() => void [reader.close(), maker.close()]);
  migrate(maker);
  look();
  expect([...seen]).toEqual([0, SCHEMA_VERSION]);
});

test('a second opening changes nothing', () => {
  const folder = temporaryFolder();
  const schema = (): unknown => opened(folder).prepare('SELECT * FROM sqlite_schema').all();
  expect(schema()).toEqual(schema());
});

test('a database of a newer version is refused and left as it is', () => {
  const path = join(temporaryFolder(), 'newer.db');
  const newer = new Database(path);
  newer.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
  newer.close();
  expect(() => openDatabase(path)).toThrow(
    new StoreError(
      'newer-version',
      `The database ${path} was made by a newer version of Millrace. Update Millrace, or name another --state folder.`,
    ),
  );
  const after = new Database(path);
  expect(after.prepare('SELECT COUNT(*) FROM sqlite_schema').pluck().get()).toBe(0);
  expect(after.pragma('journal_mode', { simple: true })).toBe('delete');
  after.close();
});

test('processes that open a new database at the same moment all get it', async () => {
  const module = fileURLToPath(new URL('../../../dist/src/store/schema/database.js', import.meta.url));
  const script = `
    const { openDatabase } = await import(${JSON.stringify(module)});
    process.on('message', (path) => {
      try {
        const connection = openDatabase(path);
        const [version, mode] = ['user_version', 'journal_mode'].map((name) => connection.pragma(name, { simple: true }));
        connection.close();
        process.send(version + ' ' + mode);
      } catch (error) {
        process.send(error.message);
      }
    });
    process.send('ready');`;
  const processes = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  onTestFinished(() => {
    for (const each of processes) each.kill();
  });
  const answers = async (path?: string): Promise<unknown[]> => {
    const all = processes.map(async (each) => once(each, 'message'));
    if (path !== undefined) for (const each of processes) each.send(path);
    return (await Promise.all(all)).map(([answer]) => answer);
  };
  await answers();
  const found = new Set<unknown>();
  for (let round = 0; round < 40; round++) {
    for (const answer of await answers(databaseIn(temporaryFolder()))) found.add(answer);
  }
  expect([...found]).toEqual([`${SCHEMA_VERSION} wal`]);
});
