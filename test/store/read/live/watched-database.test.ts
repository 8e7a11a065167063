/** What those see of a database that watch it together. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { WatchedDatabase } from '../../../../src/store/read/live/watched-database.ts';
import { databaseIn, opened, record, result } from '../../../kit/recorded-run.ts';
import { temporaryFolder } from '../../../kit/temporary-folder.ts';

/** A database that is written and watched. */
function watched() {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const database = new WatchedDatabase(databaseIn(folder));
  database.look();
  let runs = 0;
  const write = (): void =>
    record(connection, [result('ws-a')], { runId: `ma-run-20260102-03040${(runs += 1)}` });
  return { database, write };
}

test('a change is new to each reader, whoever looks first', () => {
  const { database, write } = watched();
  const [one, other] = [database.mark, database.mark];
  write();
  database.look();
  expect(database.changeSince(one)).toBe('changed');
  const seen = database.mark;
  database.look();
  expect([database.changeSince(seen), database.changeSince(other)]).toEqual(['none', 'changed']);
  database.close();
});

test('another file at the path is another database, to each reader', () => {
  const { database } = watched();
  const { mark } = database;
  const copy = temporaryFolder();
  opened(copy);
  for (const log of ['-wal', '-shm']) rmSync(`${database.path}${log}`, { force: true });
  renameSync(databaseIn(copy), database.path);
  database.look();
  database.look();
  expect(database.changeSince(mark)).toBe('other');
  database.close();
});

test('a database that is removed and one that comes back are each told once', () => {
  const folder = temporaryFolder();
  const database = new WatchedDatabase(databaseIn(folder));
  database.look();
  const before = database.mark;
  opened(folder);
  database.look();
  expect(database.changeSince(before)).toBe('other');
  const there = database.mark;
  database.look();
  expect(database.changeSince(there)).toBe('none');
  database.close();
});

test('a file with nothing in it yet is no database, and no change, until it is one', () => {
  const folder = temporaryFolder();
  const database = new WatchedDatabase(databaseIn(folder));
  const before = database.mark;
  mkdirSync(dirname(database.path), { recursive: true });
  writeFileSync(database.path, '');
  for (let looks = 0; looks < 3; looks += 1) database.look();
  expect(database.connection).toBeNull();
  expect(database.changeSince(before)).toBe('none');
  opened(folder);
  database.look();
  expect(database.connection).not.toBeNull();
  expect(database.changeSince(before)).toBe('other');
  database.close();
});
