import { describe, expect, onTestFinished, test } from 'vitest';
import type { LockRequest } from '../../../src/domain/run-lock.ts';
import { openDatabase } from '../../../src/store/schema/database.ts';
import { markDeadRuns } from '../../../src/store/write/end-run.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { RunLocks } from '../../../src/store/write/run-locks.ts';
import { databaseIn, end, opened, rowsOf, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const ONE = 'ma-run-20260101-000001';
const TWO = 'ma-run-20260101-000002';

/** A run that has begun, with a connection of its own. */
function runIn(folder: string, runId: string) {
  const connection = openDatabase(databaseIn(folder));
  onTestFinished(() => void connection.close());
  const recorder = new SqliteRecorder(connection);
  onTestFinished(() => recorder.close());
  recorder.take([started(['ws-1'], { runId })]);
  recorder.commit();
  const told: string[] = [];
  const locks = new RunLocks({ database: { connection }, runId, notify: (_, text) => told.push(text) });
  return { locks, recorder, connection, told };
}

/** Two runs of one database, and what is in the table. */
function twoRuns() {
  const folder = temporaryFolder();
  const [one, two] = [runIn(folder, ONE), runIn(folder, TWO)];
  const other = opened(folder);
  const held = () =>
    rowsOf(
      other,
      "SELECT run_id || ' ' || workstream_id || ' ' || kind || ' ' || name AS lock FROM run_locks",
    );
  return { one, two, other, held };
}

const wants = (workstreamId: string, fields: Partial<LockRequest> = {}): LockRequest => ({
  workstreamId,
  alone: false,
  conflictGroups: [],
  paths: [],
  ...fields,
});

const db = { conflictGroups: ['db'] };

describe('between two runs', () => {
  test.each([
    ['members of a conflict group', db, db, true],
    ['members of different groups', db, { conflictGroups: ['gpu'] }, false],
    ['a path and the same path', { paths: ['/a/src'] }, { paths: ['/a/src'] }, true],
    ['a path and one inside it', { paths: ['/a/src'] }, { paths: ['/b', '/a/src/x.ts'] }, true],
    ['a path and one around it', { paths: ['/a/src/x.ts'] }, { paths: ['/a'] }, true],
    ['a path and the whole disk', { paths: ['/a'] }, { paths: ['/'] }, true],
    ['a path and its neighbour', { paths: ['/a/src'] }, { paths: ['/a/src2'] }, false],
    ['the same scope in two trees', { paths: ['/a/src'] }, { paths: ['/b/src'] }, false],
    ['what runs alone, and anything', { alone: true }, db, true],
    ['anything, and what runs alone', db, { alone: true }, true],
    ['two that run alone', { alone: true }, { alone: true }, true],
  ])('%s', (_, first, second, conflict) => {
    const { one, two } = twoRuns();
    expect(one.locks.take(wants('ws-a', first))).toBeNull();
    expect(two.locks.take(wants('ws-b', second)) !== null).toBe(conflict);
    expect(one.locks.take(wants('ws-c', first))).toBeNull();
  });

  test('a workstream takes everything, or nothing', () => {
    const { one, two, held } = twoRuns();
    one.locks.take(wants('ws-a', db));
    const before = held();
    const request = wants('ws-b', { paths: ['/a'], conflictGroups: ['db'] });
    expect(two.locks.take(request)).toEqual({
      runId: ONE,
      workstreamId: 'ws-a',
      kind: 'group',
      name: 'db',
      isLeft: false,
    });
    expect(held()).toEqual(before);
    one.locks.release('ws-a');
    expect(two.locks.take(request)).toBeNull();
  });

  test('a run that has something in hand holds one row, however much that is', () => {
    const { one, two, held } = twoRuns();
    for (const id of ['ws-1', 'ws-2', 'ws-3']) one.locks.take(wants(id, { conflictGroups: [id] }));
    expect([one.locks.takeBusy(), two.locks.takeBusy()]).toEqual([null, null]);
    const busy = held().filter((row) => JSON.stringify(row).includes('busy'));
    expect(busy).toEqual([{ lock: `${ONE}  busy ` }, { lock: `${TWO}  busy ` }]);
    const alone = wants('ws-b', { alone: true });
    expect(two.locks.take(alone)).toMatchObject({ kind: 'busy', runId: ONE });
    one.locks.releaseBusy();
    expect(two.locks.take(alone)).toBeNull();
    expect(one.locks.takeBusy()).toMatchObject({ kind: 'alone', workstreamId: 'ws-b' });
  });
});

const HELD = { runId: ONE, workstreamId: 'ws-a', kind: 'group', name: 'db', isLeft: false } as const;

describe('a lock is free as soon as its run', () => {
  test.each([
    ['gives it up', ({ one }: ReturnType<typeof twoRuns>) => one.locks.release('ws-a'), false],
    ['ends', ({ one }: ReturnType<typeof twoRuns>) => one.recorder.finish(end({ runId: ONE })), false],
    [
      'is interrupted',
      ({ other }: ReturnType<typeof twoRuns>) =>
        other.exec("UPDATE consolidated_runs SET state = 'interrupted'"),
      false,
    ],
    [
      'was deleted',
      ({ other }: ReturnType<typeof twoRuns>) =>
        other.exec(`DELETE FROM consolidated_runs WHERE run_id = '${ONE}'`),
      false,
    ],
    [
      'not while it is heard of from its container, although no process here has its id',
      ({ other }: ReturnType<typeof twoRuns>) =>
        other.exec(
          "UPDATE consolidated_runs SET pid_namespace = 'pid:[1]', pid_started = '1', pid = 4194305",
        ),
      true,
    ],
  ])('%s', (_, happen, stays) => {
    const runs = twoRuns();
    runs.one.locks.take(wants('ws-a', db));
    expect(runs.two.locks.isHeld(HELD)).toBe(true);
    happen(runs);
    expect(runs.two.locks.isHeld(HELD)).toBe(stays);
    expect(runs.two.locks.take(wants('ws-b', db)) !== null).toBe(stays);
  });
});

describe('what a run holds whose process is gone', () => {
  test.each([
    ['that has ended', "pid_started = '1'"],
    ['that was not heard of from its container', "pid_namespace = 'pid:[1]', heartbeat_at = '2026-01-01'"],
  ])('%s, is free once it was looked after what that left', (_, is) => {
    const { one, two, other, held } = twoRuns();
    one.locks.take(wants('ws-a', db));
    other.exec(`UPDATE consolidated_runs SET ${is} WHERE run_id = '${ONE}'`);
    const lock = two.locks.take(wants('ws-b', db));
    expect(lock).toMatchObject({ workstreamId: 'ws-a', isLeft: true });
    expect(two.locks.isHeld({ ...HELD, isLeft: true })).toBe(false);
    const gone = two.locks.leftBy(ONE);
    expect(gone).toMatchObject({ pid: process.pid });
    if (gone !== null) two.locks.releaseLeft(ONE, gone);
    expect(two.locks.leftBy(ONE)).toBeNull();
    expect(two.locks.take(wants('ws-b', db))).toBeNull();
    expect(JSON.stringify(held())).not.toContain(ONE);
  });

  test('stays held where the next run has marked it as interrupted', () => {
    const { one, two, other } = twoRuns();
    one.locks.take(wants('ws-a', db));
    other.exec(`UPDATE consolidated_runs SET pid_started = '1' WHERE run_id = '${ONE}'`);
    markDeadRuns(other);
    expect(two.locks.take(wants('ws-b', db))).toMatchObject({ workstreamId: 'ws-a', isLeft: true });
  });

  test('is not freed for a run that was resumed meanwhile', () => {
    const { one, two, other } = twoRuns();
    one.locks.take(wants('ws-a', db));
    other.exec(`UPDATE consolidated_runs SET pid_started = '1' WHERE run_id = '${ONE}'`);
    const gone = two.locks.leftBy(ONE);
    other.exec(
      `UPDATE consolidated_runs SET pid_started = (SELECT pid_started FROM consolidated_runs WHERE run_id = '${TWO}')`,
    );
    if (gone !== null) two.locks.releaseLeft(ONE, gone);
    expect(two.locks.take(wants('ws-b', db))).toMatchObject({ workstreamId: 'ws-a', isLeft: false });
  });

  test('is free also while the database can’t be written', () => {
    const { one, two, other } = twoRuns();
    one.locks.take(wants('ws-a', db));
    other.exec(`UPDATE consolidated_runs SET pid_started = '1' WHERE run_id = '${ONE}'`);
    const gone = two.locks.leftBy(ONE);
    other.exec('BEGIN IMMEDIATE');
    if (gone !== null) two.locks.releaseLeft(ONE, gone);
    expect(two.locks.take(wants('ws-b', db))).toBeNull();
    other.exec('ROLLBACK');
  });
});

describe('while the database can’t be written', () => {
  test('what others hold counts, and what nobody holds is taken, which is said once', () => {
    const { one, two, other } = twoRuns();
    one.locks.take(wants('ws-a', db));
    other.exec('BEGIN IMMEDIATE');
    expect(two.locks.take(wants('ws-b', db))).toMatchObject({ workstreamId: 'ws-a' });
    expect(two.locks.take(wants('ws-c', { conflictGroups: ['gpu'] }))).toBeNull();
    expect(two.told).toEqual([expect.stringMatching(/locked by another process.*other runs do not see/)]);
    other.exec('ROLLBACK');
  });

  test('what could not be given up is given up with the next', () => {
    const { one, two, other } = twoRuns();
    one.locks.take(wants('ws-a', db));
    other.exec('BEGIN IMMEDIATE');
    one.locks.release('ws-a');
    other.exec('ROLLBACK');
    expect(two.locks.take(wants('ws-b', db))).not.toBeNull();
    expect(one.locks.take(wants('ws-c', { conflictGroups: ['gpu'] }))).toBeNull();
    expect(two.locks.take(wants('ws-b', db))).toBeNull();
  });
});
