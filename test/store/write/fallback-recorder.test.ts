import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { storeError } from '../../../src/store/schema/store-error.ts';
import { readSpillLine } from '../../../src/store/spill/spill-line.ts';
import { FallbackRecorder } from '../../../src/store/write/fallback-recorder.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { openForRun, RunDatabase } from '../../../src/store/write/run-database.ts';
import { databaseIn, end, finished, opened, RUN, result, rowsOf, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

function databaseOf(folder: string): RunDatabase {
  const database = new RunDatabase(openForRun(databaseIn(folder)), {
    runId: RUN,
    makeFolder: () => void mkdirSync(join(folder, '.state'), { recursive: true }),
  });
  onTestFinished(() => void database.close());
  return database;
}

/** A run that has begun, in a database that can be made to refuse. */
function begun(pauseMs: number, folders?: string[], toleratedMs = 0) {
  const folder = temporaryFolder();
  const database = databaseOf(folder);
  database.connection.pragma('busy_timeout = 1');
  const told: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  const failure = new AbortController();
  onTestFinished(() => failure.signal.throwIfAborted());
  const recorder = new FallbackRecorder({
    recorder: new SqliteRecorder(database.connection),
    database,
    runId: RUN,
    notify: (level, text) => {
      told.push(`${level}: ${text}`);
      for (const tell of waiting.splice(0)) tell(text);
    },
    failure,
    pauseMs,
    toleratedMs,
    folders: folders ?? [folder],
  });
  onTestFinished(() => recorder.close());
  recorder.take([started(['ws-1', 'ws-2', 'ws-3'])]);
  recorder.commit();
  const spills = () => readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  const other = opened(folder);
  return {
    recorder,
    told,
    nextTold: () => new Promise<string>((resolve) => waiting.push(resolve)),
    spills,
    spilled: () =>
      spills().flatMap((name) =>
        readFileSync(join(folder, name), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => readSpillLine(line)?.workstreamId),
      ),
    stored: () => rowsOf(other, 'SELECT workstream_id AS id FROM agent_results ORDER BY id'),
    folder,
    delete: () => other.exec('DELETE FROM consolidated_runs'),
    lock: () => other.exec('BEGIN IMMEDIATE'),
    unlock: () => other.exec('COMMIT'),
  };
}

const HOUR_MS = 3_600_000;

describe('while others write at the same time', () => {
  test('a moment is no reason to tell a person, and results are in a file meanwhile', () => {
    const run = begun(HOUR_MS, undefined, HOUR_MS);
    run.lock();
    run.recorder.take([finished(result('ws-1'))]);
    run.recorder.commit();
    expect(run.spilled()).toEqual(['ws-1']);
    run.unlock();
    run.recorder.settle();
    expect([run.stored(), run.spills(), run.told]).toEqual([[{ id: 'ws-1' }], [], []]);
  });

  test('what lasts is told, with where results are, and so is its end', async () => {
    const run = begun(5, undefined, 20);
    run.lock();
    run.recorder.take([finished(result('ws-1'))]);
    run.recorder.commit();
    expect(run.told).toEqual([]);
    await run.nextTold();
    expect(run.told).toEqual([
      expect.stringMatching(/^error: .* is locked by another process.* kept beside it/),
      expect.stringMatching(/^error: Results that the database does not take are kept in .*millrace-spill-/),
    ]);
    run.unlock();
    expect(await run.nextTold()).toContain('can be written again: 1 result');
  });
});

describe('while the database refuses', () => {
  test('results are in a file when the commit returns, and in the database at the end', async () => {
    const run = begun(HOUR_MS);
    run.lock();
    run.recorder.take([finished(result('ws-1', { metadata: { output: 'one' } }))]);
    run.recorder.commit();
    expect(run.spilled()).toEqual(['ws-1']);
    run.recorder.take([finished(result('ws-2'))]);
    run.recorder.commit();
    await run.recorder.sync();
    expect(run.spilled()).toEqual(['ws-1', 'ws-2']);
    expect(run.recorder.unwrittenOutputs(['ws-1', 'ws-2', 'ws-3'])).toEqual({ 'ws-1': 'one', 'ws-2': null });
    run.unlock();
    run.recorder.take([finished(result('ws-3'))]);
    run.recorder.finish(end());
    expect(run.stored()).toEqual([{ id: 'ws-1' }, { id: 'ws-2' }, { id: 'ws-3' }]);
    expect([run.spills(), run.recorder.unwrittenOutputs(['ws-1'])]).toEqual([[], {}]);
    expect(run.told).toEqual([
      expect.stringMatching(/^error: .* is locked by another process.* kept beside it/),
      expect.stringMatching(/^error: Results that the database does not take are kept in .*millrace-spill-/),
      expect.stringMatching(
        /^info: .* can be written again: 2 results that had been kept beside it are in it now/,
      ),
    ]);
  });

  test('the clock tries again, and takes the spill in', async () => {
    const run = begun(5);
    run.lock();
    run.recorder.take([finished(result('ws-1'))]);
    run.recorder.commit();
    run.unlock();
    expect(await run.nextTold()).toContain('can be written again');
    expect([run.stored(), run.spills()]).toEqual([[{ id: 'ws-1' }], []]);
  });

  test('the end says where the results are and how to go on', () => {
    const run = begun(HOUR_MS);
    run.lock();
    run.recorder.take([finished(result('ws-1'))]);
    expect(() => run.recorder.finish(end())).toThrow(
      /locked by another process.* 1 result of ma-run-20260102-030405 is kept in .*millrace-spill-.*; the next millrace run takes it in\. Then: millrace run --resume ma-run-20260102-030405$/,
    );
    run.unlock();
    run.recorder.finish(end());
    expect([run.stored(), run.spills()]).toEqual([[{ id: 'ws-1' }], []]);
  });

  test('what no file takes stays in memory, is refused, and is written as soon as that is possible', () => {
    const run = begun(HOUR_MS, ['/dev/null/nowhere']);
    run.lock();
    run.recorder.take([finished(result('ws-1', { metadata: { output: 1 } }))]);
    expect(() => run.recorder.commit()).toThrow(/neither to the database .* nor to a file \(ENOTDIR/);
    expect(() => run.recorder.commit()).toThrow(/neither to the database/);
    expect(run.recorder.unwrittenOutputs(['ws-1'])).toEqual({ 'ws-1': 1 });
    run.unlock();
    run.recorder.finish(end());
    expect(run.stored()).toEqual([{ id: 'ws-1' }]);
  });
});

test('what is committed and can’t be forced to the disk is kept in a file as well', async () => {
  const folder = temporaryFolder();
  const database = databaseOf(folder);
  const told: string[] = [];
  const inner = new SqliteRecorder(database.connection);
  const sync = inner.sync.bind(inner);
  inner.sync = () => Promise.reject(storeError('disk-full', databaseIn(folder)));
  const recorder = new FallbackRecorder({
    recorder: inner,
    database,
    runId: RUN,
    notify: (_, text) => told.push(text),
    failure: new AbortController(),
    pauseMs: HOUR_MS,
    folders: [folder],
  });
  onTestFinished(() => recorder.close());
  recorder.take([started(['ws-1'])]);
  recorder.take([finished(result('ws-1'))]);
  recorder.commit();
  await recorder.sync();
  const spills = () => readdirSync(folder).filter((name) => name.startsWith('millrace-spill-'));
  expect([spills().length, told[0]]).toEqual([1, expect.stringContaining('no space left')]);
  inner.sync = sync;
  recorder.finish(end());
  await recorder.sync();
  expect(spills()).toEqual([]);
  const { connection } = database;
  expect(rowsOf(connection, 'SELECT workstream_id AS id FROM agent_results')).toEqual([{ id: 'ws-1' }]);
  expect(rowsOf(connection, 'SELECT completed_count AS n FROM consolidated_runs')).toEqual([{ n: 1 }]);
});

describe('when the files of the database are removed', () => {
  /** What the path names now, read by another connection. */
  const thereNow = (folder: string): unknown[] =>
    rowsOf(opened(folder), 'SELECT workstream_id AS id FROM agent_results ORDER BY id');

  test.each(['before a commit', 'before what was committed is announced'])(
    '%s, all results are in the database again at once',
    async (moment) => {
      const run = begun(HOUR_MS);
      run.recorder.take([finished(result('ws-1'))]);
      run.recorder.commit();
      await run.recorder.sync();
      const remove = () => rmSync(join(run.folder, '.state'), { recursive: true });
      if (moment === 'before a commit') remove();
      run.recorder.take([finished(result('ws-2'))]);
      run.recorder.commit();
      if (moment !== 'before a commit') remove();
      await run.recorder.sync();
      expect(thereNow(run.folder)).toEqual([{ id: 'ws-1' }, { id: 'ws-2' }]);
      run.recorder.take([finished(result('ws-3'))]);
      run.recorder.finish(end());
      expect([thereNow(run.folder).length, run.spills()]).toEqual([3, []]);
      expect(run.told).toEqual([expect.stringMatching(/^warn: .*removed or moved away.*written back/)]);
    },
  );

  test('after the end was written, it is written back too', () => {
    const run = begun(HOUR_MS);
    for (const id of ['ws-1', 'ws-2', 'ws-3']) run.recorder.take([finished(result(id))]);
    run.recorder.finish(end(), () => rmSync(join(run.folder, '.state'), { recursive: true }));
    expect(thereNow(run.folder)).toHaveLength(3);
    expect(rowsOf(opened(run.folder), 'SELECT state FROM consolidated_runs')).toEqual([{ state: 'ended' }]);
  });

  test('after the end, and can’t be put back, nothing is announced', async () => {
    const run = begun(HOUR_MS);
    run.recorder.finish(end());
    await run.recorder.sync();
    rmSync(join(run.folder, '.state'), { recursive: true });
    writeFileSync(join(run.folder, '.state'), 'no folder');
    const said = /removed or moved away.*Everything that it held is in .*\.db; /;
    expect(() => run.recorder.commit()).toThrow(said);
    await expect(run.recorder.sync()).rejects.toThrow(said);
    expect(run.told).toEqual([]);
  });

  describe('before the first sync, and can’t be put back', () => {
    const said = /is not the file any more .*removed or moved away.*Everything that it held is in .*\.db; /;
    const takeAway = ({ folder }: { folder: string }): void => {
      rmSync(join(folder, '.state'), { recursive: true });
      writeFileSync(join(folder, '.state'), 'no folder');
    };

    test('that is what is said, and results are in a file', async () => {
      const run = begun(HOUR_MS);
      run.recorder.take([finished(result('ws-1'))]);
      run.recorder.commit();
      takeAway(run);
      await run.recorder.sync();
      expect(run.told[0]).toMatch(said);
      expect(run.spilled()).toEqual(['ws-1']);
      expect(() => run.recorder.finish(end())).toThrow(
        /1 result of \S+ is kept in .*jsonl; the next millrace run/,
      );
    });

    test('nothing is announced after the end', async () => {
      const run = begun(HOUR_MS);
      run.recorder.finish(end());
      takeAway(run);
      await expect(run.recorder.sync()).rejects.toThrow(said);
    });
  });

  test('before the first sync, it is written back', async () => {
    const run = begun(HOUR_MS);
    run.recorder.take([finished(result('ws-1'))]);
    run.recorder.commit();
    rmSync(join(run.folder, '.state'), { recursive: true });
    await run.recorder.sync();
    expect([thereNow(run.folder).length, run.spills()]).toEqual([1, []]);
    expect(run.told).toEqual([expect.stringMatching(/^warn: .*removed or moved away.*written back/)]);
  });

  test('and can’t be put back, results go to a file, and the end says where everything is', () => {
    const run = begun(HOUR_MS);
    run.recorder.take([finished(result('ws-1'))]);
    run.recorder.commit();
    rmSync(join(run.folder, '.state'), { recursive: true });
    writeFileSync(join(run.folder, '.state'), 'no folder');
    run.recorder.take([finished(result('ws-2'))]);
    run.recorder.commit();
    expect(run.spilled()).toEqual(['ws-2']);
    run.recorder.take([finished(result('ws-3'))]);
    expect(() => run.recorder.finish(end())).toThrow(
      /removed or moved away.*Everything that it held is in .*\.db; .*2 results of .* are kept in .*jsonl/,
    );
  });
});

test('a run whose row is deleted is refused by name, and its results are in a file', () => {
  const run = begun(HOUR_MS);
  run.delete();
  run.recorder.take([finished(result('ws-1'))]);
  run.recorder.commit();
  expect(run.spilled()).toEqual(['ws-1']);
  expect(run.told[0]).toMatch(
    /ma-run-20260102-030405 is not in the database .* any more: its row was deleted/,
  );
  expect(() => run.recorder.finish(end())).toThrow(/its row was deleted while it was under way/);
});

test('a run that can’t be begun is refused, and makes no spill', () => {
  const folder = temporaryFolder();
  const database = databaseOf(folder);
  database.connection.pragma('busy_timeout = 1');
  const other = opened(folder);
  const recorder = new FallbackRecorder({
    recorder: new SqliteRecorder(database.connection),
    database,
    runId: RUN,
    notify: () => undefined,
    failure: new AbortController(),
    folders: [folder],
  });
  other.exec('BEGIN IMMEDIATE');
  recorder.take([started(['ws-1'])]);
  expect(() => recorder.commit()).toThrow(/locked/);
  other.exec('ROLLBACK');
  recorder.close();
  expect(existsSync(join(folder, '.state'))).toBe(true);
  expect(readdirSync(folder)).toEqual(['.state']);
});
