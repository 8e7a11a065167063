import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listRuns } from '../../../src/store/read/runs.ts';
import { openDatabase, openForReading } from '../../../src/store/schema/database.ts';
import { SCHEMA_VERSION } from '../../../src/store/schema/migrate.ts';
import { StoreError, type StoreErrorKind } from '../../../src/store/schema/store-error.ts';
import { databaseIn, RUN, record, result } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeOlderDatabase, OLD_RUN } from '../older-system.ts';

const built = fileURLToPath(new URL('../../../dist/src/store/schema/database.js', import.meta.url));

function kindOf(act: () => unknown): StoreErrorKind | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}

/** A database with one run, closed. */
function recordedDatabase(): string {
  const path = databaseIn(temporaryFolder());
  const connection = openDatabase(path);
  record(connection, [result('ws-1')]);
  connection.close();
  return path;
}

test('for writing, the folder is made, and syncing the log is left to the recorder', () => {
  const connection = openDatabase(databaseIn(join(temporaryFolder(), 'not', 'there')));
  onTestFinished(() => void connection.close());
  const setting = (name: string): unknown => connection.pragma(name, { simple: true });
  expect(['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'].map(setting)).toEqual([
    'wal',
    1,
    1,
    10_000,
  ]);
});

describe('for reading', () => {
  test('gives null and makes nothing where there is no file', () => {
    const folder = temporaryFolder();
    expect(openForReading(databaseIn(folder))).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('changes no byte, leaves no file and refuses to write', () => {
    const path = recordedDatabase();
    const before = readFileSync(path);
    const connection = openForReading(path);
    expect(connection?.prepare('SELECT run_id FROM consolidated_runs').all()).toEqual([{ run_id: RUN }]);
    expect(() => connection?.exec('DELETE FROM agent_results')).toThrow(
      'attempt to write a readonly database',
    );
    connection?.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(['multi_agent_consolidated.db']);
  });

  test('shows a database of the older system as if it had been migrated, and leaves it as it is', () => {
    const path = databaseIn(temporaryFolder());
    makeOlderDatabase(path);
    const before = readFileSync(path);
    const connection = openForReading(path);
    expect(connection?.prepare('SELECT run_id, state FROM consolidated_runs').all()).toEqual([
      { run_id: OLD_RUN, state: null },
    ]);
    expect(connection?.prepare('SELECT COUNT(*) FROM run_workstreams').pluck().get()).toBe(0);
    connection?.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(['multi_agent_consolidated.db']);
  });

  test('takes a file with nothing in it for none, as whoever makes one does it in steps', () => {
    const path = join(temporaryFolder(), 'empty.db');
    writeFileSync(path, '');
    expect(openForReading(path)).toBeNull();
    expect(readFileSync(path)).toHaveLength(0);
    const making = new Database(path);
    onTestFinished(() => void making.close());
    making.pragma('journal_mode = WAL');
    expect(openForReading(path)).toBeNull();
    making.exec('BEGIN; CREATE TABLE consolidated_runs (run_id TEXT)');
    expect(openForReading(path)).toBeNull();
    making.exec('COMMIT');
    const connection = openForReading(path);
    expect(connection && listRuns(connection, { limit: 10 })).toEqual([]);
    connection?.close();
  });

  test('sees what another connection has committed since', () => {
    const path = recordedDatabase();
    const reader = openForReading(path);
    const writer = openDatabase(path);
    onTestFinished(() => void [reader?.close(), writer.close()]);
    record(writer, [result('ws-1')], { runId: `${RUN}-2` });
    expect(reader?.prepare('SELECT COUNT(*) FROM consolidated_runs').pluck().get()).toBe(2);
  });

  test('reads a database that can not be written, in a folder that can not either', () => {
    const path = recordedDatabase();
    const folder = dirname(path);
    chmodSync(dirname(folder), 0o755);
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    onTestFinished(() => chmodSync(folder, 0o755));
    const script = `
      const { openForReading } = await import(${JSON.stringify(built)});
      const root = process.getuid() === 0;
      if (root) process.setgid(65534), process.setuid(65534);
      console.log(openForReading(${JSON.stringify(path)}).prepare('SELECT run_id FROM consolidated_runs').pluck().get());`;
    // Who it then is can't write coverage either.
    const env = { ...process.env, NODE_V8_COVERAGE: '' };
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env,
    });
    expect([stdout.trim(), stderr]).toEqual([RUN, '']);
  });
});

describe('what can not be used is refused with a sentence that says what to do', () => {
  test('a file that is no database', () => {
    const path = join(temporaryFolder(), 'notes.txt');
    writeFileSync(path, 'These are my notes, and no database at all.\n'.repeat(100));
    const sentence = `The file ${path} is not a database or is damaged (file is not a database). Move it away, or name another --state folder.`;
    expect(() => openDatabase(path)).toThrow(new StoreError('not-a-database', sentence));
    expect(() => openForReading(path)).toThrow(new StoreError('not-a-database', sentence));
    expect(readFileSync(path, 'utf8')).toMatch(/^These are my notes/);
    expect(readdirSync(dirname(path))).toEqual(['notes.txt']);
  });

  test("a place that can't be looked at is not taken for one without a database", () => {
    expect(kindOf(() => openForReading(join(temporaryFolder(), 'x'.repeat(300))))).toBe('unwritable');
  });

  test('behind links that lead in a circle there is no database', () => {
    const loop = join(temporaryFolder(), 'loop');
    symlinkSync(loop, loop);
    expect(openForReading(databaseIn(loop))).toBeNull();
  });

  test('a folder in the place of the file', () => {
    const path = databaseIn(temporaryFolder());
    mkdirSync(path, { recursive: true });
    expect(kindOf(() => openDatabase(path))).toBe('not-a-database');
    expect(kindOf(() => openForReading(path))).toBe('not-a-database');
  });

  test('a file in the place of the folder', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.state'), '');
    expect(kindOf(() => openDatabase(databaseIn(folder)))).toBe('unwritable');
    expect(existsSync(databaseIn(folder))).toBe(false);
  });

  test('a database of a newer version, also for reading', () => {
    const path = recordedDatabase();
    const newer = new Database(path);
    newer.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    newer.close();
    expect(kindOf(() => openForReading(path))).toBe('newer-version');
  });

  test('a database that another process keeps locked', () => {
    const path = recordedDatabase();
    const other = new Database(path);
    onTestFinished(() => void other.close());
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE');
    expect(kindOf(() => openDatabase(path, { busyTimeoutMs: 1 }))).toBe('locked');
  });
});
