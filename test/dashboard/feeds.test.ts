/** When feeds read the database, beside requests that look at it as well. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { Feeds, ListFeed } from '../../src/dashboard/feeds.ts';
import { replaceFile } from '../../src/os/replace-file.ts';
import { type DatabaseChange, WatchedDatabase } from '../../src/store/read/live/watched-database.ts';
import type { Connection } from '../../src/store/schema/connection.ts';
import { KeepingClient } from '../kit/event-client.ts';
import { databaseIn, opened, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

afterEach(() => void vi.useRealTimers());

/** Feeds of a database, and what they read. */
function watched() {
  vi.useFakeTimers();
  const folder = temporaryFolder();
  const connection = opened(folder);
  const database = new WatchedDatabase(databaseIn(folder));
  const feeds = new Feeds(database);
  const reads: DatabaseChange[] = [];
  const feed = { read: (_: Connection, change: DatabaseChange) => void reads.push(change), lost: vi.fn() };
  let runs = 0;
  const write = (): void =>
    record(connection, [result('ws-a')], { runId: `ma-run-20260102-03040${(runs += 1)}` });
  return { database, feeds, feed, reads, write };
}

test('what is stored is read within 250 ms, also where a request has seen it before', async () => {
  const { database, feeds, feed, reads, write } = watched();
  feeds.enter('a', () => feed);
  await vi.advanceTimersByTimeAsync(250);
  reads.length = 0;
  write();
  // As each request does.
  database.look();
  await vi.advanceTimersByTimeAsync(250);
  expect(reads).toEqual(['changed']);
  feeds.close();
});

test('a feed reads what has changed once, however many clients enter', async () => {
  const { feeds, feed, reads, write } = watched();
  feeds.enter('a', () => feed);
  write();
  for (let clients = 0; clients < 50; clients += 1) feeds.enter('a', () => feed);
  expect(reads).toEqual([]);
  await vi.advanceTimersByTimeAsync(250);
  expect(reads).toEqual(['changed']);
  feeds.close();
});

test('a feed that is behind a client reads at once, and nothing where nothing has changed', () => {
  const { feeds, feed, reads, write } = watched();
  feeds.enter('a', () => feed);
  write();
  for (let clients = 0; clients < 50; clients += 1) feeds.readNow('a');
  expect(reads).toEqual(['changed']);
  feeds.close();
});

test('the list of runs is loaded again where the database appears after the page', async () => {
  vi.useFakeTimers();
  const folder = temporaryFolder();
  const database = new WatchedDatabase(databaseIn(folder));
  const feeds = new Feeds(database);
  const list = feeds.enter('runs', () => new ListFeed(null));
  const client = new KeepingClient();
  list.broadcast.enter(client, 0, list.reloadMessage);
  record(opened(folder), [result('ws-a')]);
  await vi.advanceTimersByTimeAsync(250);
  expect(client.text).toContain('event: reload');
  feeds.close();
});

test.each([
  ['is removed', (path: string) => rmSync(path)],
  ['can’t be read any more', (path: string) => replaceFile(path, 'no database', { durable: false })],
])(
  'feeds are told once that the database %s, and read it as another one when it is back',
  async (_, damage) => {
    vi.useFakeTimers();
    const folder = temporaryFolder();
    const connection = opened(folder);
    record(connection, [result('ws-a')]);
    // All is in the file then.
    connection.close();
    const path = databaseIn(folder);
    const kept = readFileSync(path);
    const feeds = new Feeds(new WatchedDatabase(path));
    const told: string[] = [];
    feeds.enter('a', () => ({
      read: (_, change) => void told.push(change),
      lost: () => void told.push('lost'),
    }));
    damage(path);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toEqual(['lost']);
    replaceFile(path, kept, { durable: false });
    await vi.advanceTimersByTimeAsync(250);
    expect(told.slice(0, 2)).toEqual(['lost', 'other']);
    feeds.close();
  },
);

test('the list of runs is loaded again where the database is removed', async () => {
  vi.useFakeTimers();
  const folder = temporaryFolder();
  record(opened(folder), [result('ws-a')]);
  const database = new WatchedDatabase(databaseIn(folder));
  const feeds = new Feeds(database);
  const list = feeds.enter('runs', () => new ListFeed(database.connection));
  const client = new KeepingClient();
  list.broadcast.enter(client, 0, list.reloadMessage);
  client.taken.length = 0;
  rmSync(join(folder, '.state'), { recursive: true });
  await vi.advanceTimersByTimeAsync(250);
  expect(client.text).toContain('event: reload');
  feeds.close();
});
