import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importSpills } from '../../../src/app/resume/import-spills.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { openForRun, RunDatabase } from '../../../src/store/write/run-database.ts';
import {
  databaseIn,
  finished,
  opened,
  RUN,
  record,
  result,
  rowsOf,
  started,
} from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const OLD = 'ma-run-20250101-000000';

/** A run that is under way and has results, in a database with an older run. */
function underWay() {
  const folder = temporaryFolder();
  const path = databaseIn(folder);
  mkdirSync(dirname(path));
  const older = new Database(path);
  older.close();
  record(opened(folder), [result('ws-old')], { runId: OLD });
  const database = new RunDatabase(openForRun(path), {
    runId: RUN,
    makeFolder: () => void mkdirSync(dirname(path), { recursive: true }),
  });
  onTestFinished(() => void database.close());
  const recorder = new SqliteRecorder(database.connection);
  onTestFinished(() => recorder.close());
  const backup = join(folder, 'backup.db');
  database.connection.prepare('VACUUM INTO ?').run(backup);
  recorder.take([started(['ws-1', 'ws-2', 'ws-3'])]);
  recorder.take([finished(result('ws-1', { metadata: { output: 'x'.repeat(100_000) } }))]);
  recorder.commit();
  database.wrote();
  return {
    folder,
    path,
    database,
    recorder,
    backup,
    /** A commit, and what the path names after that. */
    goOn: (id: string) => {
      const done = database.putBack();
      if (done !== null) recorder.moveTo(database.connection);
      recorder.take([finished(result(id))]);
      recorder.commit();
      database.wrote();
      return done;
    },
  };
}

/** What is found by way of the path, in whatever file that is now. */
function found(path: string) {
  const connection = new Database(path, { readonly: true });
  try {
    return {
      check: connection.pragma('integrity_check', { simple: true }),
      results: connection.prepare('SELECT workstream_id FROM agent_results ORDER BY id').pluck().all(),
    };
  } finally {
    connection.close();
  }
}

const ALL = ['ws-old', 'ws-1', 'ws-2', 'ws-3'];

type Run = ReturnType<typeof underWay>;

const REPLACED: [string, (run: Run) => void, RegExp][] = [
  ['the file is removed', ({ path }) => rmSync(path), /removed or moved away/],
  [
    'the folder is removed',
    ({ path }) => rmSync(dirname(path), { recursive: true }),
    /removed or moved away/,
  ],
  ['the file is moved away', ({ path }) => renameSync(path, `${path}.bak`), /removed or moved away/],
  ['the folder is moved away', ({ path }) => renameSync(dirname(path), `${dirname(path)}.bak`), /moved away/],
  [
    'a backup is moved over it',
    ({ path, backup }) => renameSync(backup, path),
    /runs that it did not have were added/,
  ],
  [
    'a backup takes the place of all its files',
    ({ path, backup }) => {
      for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file);
      copyFileSync(backup, path);
    },
    /runs that it did not have were added/,
  ],
  [
    'a copy of the file alone is moved over it',
    ({ path }) => {
      copyFileSync(path, `${path}.x`);
      renameSync(`${path}.x`, path);
    },
    /another file was put in its place/,
  ],
  ['it is cut off', ({ path }) => truncateSync(path, 0), /cut off or written over/],
  [
    'it is written over by text',
    ({ path }) => writeFileSync(path, 'text'),
    /is no whole database and is kept as/,
  ],
  ['its log is removed', ({ path }) => rmSync(`${path}-wal`), /write-ahead log was removed/],
  ['the index of its log is removed', ({ path }) => rmSync(`${path}-shm`), /write-ahead log was removed/],
  [
    'an empty file is put in its place',
    ({ path }) => {
      unlinkSync(path);
      writeFileSync(path, '');
    },
    /another file was put in its place/,
  ],
  [
    'a folder is put in its place',
    ({ path }) => {
      rmSync(path);
      mkdirSync(path);
      writeFileSync(join(path, 'x'), '');
    },
    /is kept as/,
  ],
];

describe('the path goes on naming what was written', () => {
  test.each(REPLACED)('when %s', (_, replace, said) => {
    const run = underWay();
    replace(run);
    expect(run.goOn('ws-2')).toMatch(said);
    expect(run.goOn('ws-3')).toBeNull();
    expect(run.database.verify()).toBeNull();
    expect(found(run.path)).toEqual({ check: 'ok', results: ALL });
  });

  test.each(REPLACED)('when %s after the last commit', (_, replace) => {
    const run = underWay();
    run.goOn('ws-2');
    run.goOn('ws-3');
    replace(run);
    expect(run.database.verify()).not.toBeNull();
    run.recorder.moveTo(run.database.connection);
    expect(found(run.path)).toEqual({ check: 'ok', results: ALL });
  });

  test('when the folder is a link that is pointed elsewhere', () => {
    const run = underWay();
    const [state, there] = [join(run.folder, '.state'), join(run.folder, 'there')];
    renameSync(state, `${state}.bak`);
    mkdirSync(there);
    symlinkSync(there, state);
    expect(run.goOn('ws-2')).toMatch(/written back/);
    expect(readdirSync(there)).toContain('multi_agent_consolidated.db');
    expect(found(run.path).results).toEqual(['ws-old', 'ws-1', 'ws-2']);
  });

  test('when it is removed again and again', () => {
    const run = underWay();
    for (const id of ['ws-2', 'ws-3']) {
      rmSync(dirname(run.path), { recursive: true });
      expect(run.goOn(id)).toMatch(/written back/);
    }
    expect(found(run.path)).toEqual({ check: 'ok', results: ALL });
  });
});

test('nothing is done where nothing was done to the files', () => {
  const run = underWay();
  const before = run.database.connection;
  expect([run.goOn('ws-2'), run.goOn('ws-3'), run.database.verify()]).toEqual([null, null, null]);
  expect(run.database.connection).toBe(before);
});

test('a file that VACUUM made smaller is left alone', () => {
  const run = underWay();
  run.database.connection.pragma('wal_checkpoint(TRUNCATE)');
  run.database.putBack();
  const size = (): number => statSync(run.path).size;
  const before = size();
  const shell = new Database(run.path);
  shell.exec("DELETE FROM agent_results WHERE workstream_id = 'ws-1'; VACUUM");
  shell.pragma('wal_checkpoint(TRUNCATE)');
  shell.close();
  expect(size()).toBeLessThan(before);
  expect([run.goOn('ws-2'), run.database.verify()]).toEqual([null, null]);
});

test('a file that was written over without becoming smaller is found at the end', () => {
  const run = underWay();
  for (const id of ['ws-2', 'ws-3']) run.goOn(id);
  run.database.connection.pragma('wal_checkpoint(TRUNCATE)');
  run.database.wrote();
  const { size } = statSync(run.path);
  const header = readFileSync(run.path).subarray(0, 100);
  writeFileSync(run.path, Buffer.concat([header, Buffer.alloc(size - 100, 7)]), { flag: 'r+' });
  expect(run.database.putBack()).toBeNull();
  expect(run.database.verify()).toMatch(/written over.*is kept as/);
  run.recorder.moveTo(run.database.connection);
  expect(found(run.path)).toEqual({ check: 'ok', results: ALL });
});

test('what happens to the file while it is closed is told', () => {
  const run = underWay();
  rmSync(run.path);
  expect(run.database.close()).toMatch(/removed or moved away while the run closed it/);
});

test('a database that is closed in its place has all that was in its log', () => {
  const run = underWay();
  run.goOn('ws-2');
  run.database.prepareToClose();
  expect([run.database.putBack(), run.database.close()]).toEqual([null, null]);
  expect(found(run.path).results).toEqual(['ws-old', 'ws-1', 'ws-2']);
});

test('the rights of the file stay', () => {
  const run = underWay();
  const { mode } = statSync(run.path);
  rmSync(run.path);
  run.goOn('ws-2');
  expect(statSync(run.path).mode).toBe(mode);
});

test('runs of another database that was put there stay, and so do later results of a run that both have', () => {
  const run = underWay();
  const other = temporaryFolder();
  record(opened(other), [result('ws-theirs')], { runId: 'ma-run-20250202-000000' });
  opened(other).prepare('VACUUM INTO ?').run(join(other, 'theirs.db'));
  renameSync(join(other, 'theirs.db'), run.path);
  run.goOn('ws-2');
  const runs = rowsOf(
    run.database.connection,
    'SELECT run_id AS id, state FROM consolidated_runs ORDER BY rowid',
  );
  expect(runs).toEqual([
    { id: 'ma-run-20250202-000000', state: 'ended' },
    { id: OLD, state: 'ended' },
    { id: RUN, state: 'running' },
  ]);
});

describe('where it can’t be put back', () => {
  function refused(): Run & { copy: string } {
    const run = underWay();
    rmSync(dirname(run.path), { recursive: true });
    writeFileSync(dirname(run.path), 'no folder');
    let said = '';
    try {
      run.database.putBack();
    } catch (error) {
      said = String(error);
    }
    const copy = /Everything that it held is in (\S+\.db);/.exec(said)?.[1] ?? '';
    onTestFinished(() => rmSync(copy, { force: true }));
    expect(existsSync(copy)).toBe(true);
    return { ...run, copy };
  }

  test('everything is in a copy elsewhere, which goes once it can be', () => {
    const run = refused();
    expect(found(run.copy).results).toEqual(['ws-old', 'ws-1']);
    rmSync(dirname(run.path));
    expect(run.goOn('ws-2')).toMatch(/written back/);
    expect([existsSync(run.copy), found(run.path).results]).toEqual([false, ['ws-old', 'ws-1', 'ws-2']]);
  });

  test('one copy is enough, however often it is tried', () => {
    const { database, copy } = refused();
    for (let again = 0; again < 3; again += 1) expect(() => database.putBack()).toThrow(copy);
    const copies = readdirSync(dirname(copy)).filter((name) => name.startsWith(basename(copy).slice(0, -12)));
    expect(copies).toEqual([basename(copy)]);
  });

  test('the next start takes the copy in, once the run has ended', () => {
    const { path, copy } = refused();
    rmSync(dirname(path));
    mkdirSync(dirname(path));
    expect(importSpills(path)).toEqual([]);
    const writer = new Database(copy);
    writer.exec("UPDATE consolidated_runs SET state = 'interrupted' WHERE state = 'running'");
    writer.close();
    expect(importSpills(path)).toEqual([
      {
        level: 'info',
        text: expect.stringContaining(`the database took ${OLD}, ${RUN} with 2 results from it`),
      },
    ]);
    expect([existsSync(copy), found(path).results]).toEqual([false, ['ws-old', 'ws-1']]);
  });

  test('a copy that was cut off is kept under another name', () => {
    const { path, copy } = refused();
    rmSync(dirname(path));
    appendFileSync(copy, '');
    truncateSync(copy, 5_000);
    onTestFinished(() => rmSync(`${copy}.rejected`, { force: true }));
    expect(importSpills(path)).toEqual([
      { level: 'warn', text: expect.stringContaining(`kept as ${copy}.rejected`) },
    ]);
    expect(existsSync(`${copy}.rejected`)).toBe(true);
  });
});
