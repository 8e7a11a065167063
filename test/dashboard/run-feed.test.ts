/** What clients of one run get: all that is new, once, or that they have to ask for the document again. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cursorOf, markIn, RunFeed } from '../../src/dashboard/run-feed.ts';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import { type Merge, mergeOf } from '../../src/domain/changes.ts';
import { markOf } from '../../src/store/read/live/run-changes.ts';
import type { Connection } from '../../src/store/schema/connection.ts';
import { openForReading } from '../../src/store/schema/database.ts';
import { mergeChanges } from '../../src/store/schema/migrations/029-merge-changes.ts';
import { removeRuns } from '../../src/store/write/prune.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { KeepingClient } from '../kit/event-client.ts';
import { olderDatabase } from '../kit/older-database.ts';
import { seededRandom } from '../kit/random.ts';
import {
  begins,
  databaseIn,
  end,
  failed,
  finished,
  opened,
  RUN,
  record,
  result,
  started,
} from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const IDS = ['ws-a', 'ws-b', 'ws-c'];

/** A run under way, and its feed. */
function followed(writing = opened(temporaryFolder()), readable = (): Connection => writing) {
  const recorder = new SqliteRecorder(writing);
  recorder.take([started(IDS)]);
  recorder.commit();
  const connection = readable();
  const heads: number[] = [];
  const feed = new RunFeed(connection, RUN, {
    logs: '/nowhere',
    addressOf: () => null,
    headOf: async (_, shown) => JSON.stringify(heads.push(shown)),
  });
  const stores = (stored: AgentResult): void => {
    recorder.take([finished(stored)]);
    recorder.commit();
  };
  const ends = (id: string): void => stores(result(id));
  const fails = (id: string): void => stores(failed(id, 'It broke.'));
  /** Work that is to be merged. */
  const works = (id: string): void =>
    stores(result(id, { metadata: { merge: mergeOf({ status: 'pending' }) } }));
  const merges = (id: string, status: Merge['status']): void => {
    recorder.take([{ type: 'workstream-merged', workstreamId: id, merge: mergeOf({ status }) }]);
    recorder.commit();
  };
  return { connection, recorder, feed, heads, ends, fails, works, merges };
}

interface Message {
  event: string;
  id: string;
  data: Record<string, unknown>;
}

function messageIn(bytes: Uint8Array): Message {
  const text = new TextDecoder().decode(bytes);
  const [, id = '', event = '', data = '{}'] =
    /^(?:id: (.*)\n)?event: (.*)\ndata: (.*)\n\n$/.exec(text) ?? [];
  return { id, event, data: JSON.parse(data) as Message['data'] };
}

/** The messages of one piece. */
const messagesIn = (bytes: Uint8Array): Message[] =>
  new TextDecoder()
    .decode(bytes)
    .split(/(?<=\n\n)/)
    .map((text) => messageIn(new TextEncoder().encode(text)));

/** What a client gets first that knows a run up to a cursor. */
function joins({ feed, connection }: ReturnType<typeof followed>, cursor: string): Message[] {
  feed.read(connection, 'changed');
  return Array.from(feed.join(connection, markIn(cursor)).messages, messageIn);
}

/** Ids of the results that a client gets which knows a run up to a cursor. */
function missed(run: ReturnType<typeof followed>, cursor: string): unknown[] {
  return joins(run, cursor)
    .filter(({ event }) => event === 'rows')
    .flatMap(({ data }) => (data['rows'] as { id: string }[]).map(({ id }) => id));
}

/** The first message of a kind that is sent after a position. */
async function next(run: ReturnType<typeof followed>, from: number, event: string): Promise<Message> {
  const client = new KeepingClient();
  run.feed.broadcast.enter(client, from, new Uint8Array());
  await Promise.resolve();
  const message = client.taken.flatMap(messagesIn).find((each) => each.event === event);
  if (message === undefined) throw new Error(`no ${event} was sent`);
  return message;
}

test('a client that comes back gets each result that it missed, and no other', () => {
  const run = followed();
  run.ends('ws-a');
  const cursor = cursorOf(markOf(run.connection, RUN));
  run.ends('ws-b');
  run.ends('ws-c');
  expect(missed(run, cursor)).toEqual(['ws-b', 'ws-c']);
  expect(missed(run, cursorOf(markOf(run.connection, RUN)))).toEqual([]);
});

test('clients that come back together get the same bytes, which are read once', () => {
  const run = followed();
  const cursor = markIn(cursorOf(markOf(run.connection, RUN)));
  run.ends('ws-a');
  run.feed.read(run.connection, 'changed');
  const of = (): Uint8Array | undefined => [...run.feed.join(run.connection, cursor).messages][0];
  const first = of();
  expect(new TextDecoder().decode(first)).toContain('"id":"ws-a"');
  expect(of()).toBe(first);
  run.ends('ws-b');
  run.feed.read(run.connection, 'changed');
  expect(new TextDecoder().decode(of())).toMatch(/"id":"ws-a".*"id":"ws-b"/);
});

test('many missed results come some at a time, and only with the last the client knows more than before', async () => {
  const run = followed();
  const before = markOf(run.connection, RUN);
  const ids = Array.from({ length: 130 }, (_, index) => `ws-${index}`);
  for (const id of ids) run.fails(id);
  run.feed.read(run.connection, 'changed');
  const { messages, position } = run.feed.join(run.connection, before);
  const taken = messages[Symbol.iterator]();
  const first = messageIn(taken.next().value ?? new Uint8Array());
  // What is stored meanwhile comes after all of them.
  run.ends('ws-later');
  run.feed.read(run.connection, 'changed');
  const others = Array.from({ [Symbol.iterator]: () => taken }, messageIn);
  const rowsIn = (each: readonly Message[]): Message[] => each.filter(({ event }) => event === 'rows');
  const idsIn = (each: readonly Message[]): string[] =>
    rowsIn(each).flatMap(({ data }) => (data['rows'] as { id: string }[]).map(({ id }) => id));
  expect(idsIn([first, ...others])).toEqual(ids);
  expect(rowsIn([first, ...others]).map(({ id, data }) => [(data['rows'] as unknown[]).length, id])).toEqual([
    [50, ''],
    [50, ''],
    [30, cursorOf({ ...before, row: before.row + 130 })],
  ]);
  const { data } = await next(run, position, 'rows');
  expect(data['rows']).toMatchObject([{ id: 'ws-later' }]);
});

test('whoever takes missed results that can’t be read any more is told, also who takes them later', () => {
  const run = followed();
  const before = markOf(run.connection, RUN);
  run.fails('ws-a');
  run.feed.read(run.connection, 'changed');
  const both = [1, 2].map(() => run.feed.join(run.connection, before).messages);
  run.connection.close();
  for (const messages of both) expect(() => [...messages]).toThrow();
});

test('a feed is behind a client that has loaded the run since, until it reads', () => {
  const run = followed();
  run.ends('ws-a');
  const since = markOf(run.connection, RUN);
  expect(run.feed.isBehind(since)).toBe(true);
  run.feed.read(run.connection, 'changed');
  expect([run.feed.isBehind(since), run.feed.isBehind(null)]).toEqual([false, false]);
});

test('a client is sent a result when it is stored', async () => {
  const run = followed();
  const { position } = run.feed.broadcast;
  run.ends('ws-a');
  run.feed.read(run.connection, 'changed');
  const { data, id } = await next(run, position, 'rows');
  expect(data).toMatchObject({ gone: [], rows: [{ id: 'ws-a' }] });
  expect(id).toBe(cursorOf(markOf(run.connection, RUN)));
});

test('the live state says who executes what, at which attempt', async () => {
  const run = followed();
  const { position } = run.feed.broadcast;
  run.recorder.take([begins('ws-b', { attempt: 2 })]);
  run.recorder.commit();
  run.feed.read(run.connection, 'changed');
  const { data } = await next(run, position, 'live');
  expect(data).toMatchObject({
    total: 3,
    ended: 0,
    waiting: 2,
    running: [{ workstreamId: 'ws-b', agentId: 'agent-1', attempt: 2 }],
  });
});

test('the head of a run under way is made when something has failed since clients loaded its document', () => {
  const run = followed();
  run.ends('ws-a');
  joins(run, cursorOf(markOf(run.connection, RUN)));
  expect(run.heads).toEqual([]);
  run.fails('ws-b');
  run.feed.read(run.connection, 'changed');
  expect(run.heads).toEqual([2]);
});

test('the head is made for a client that comes back and has missed a failure', () => {
  const before = followed();
  const cursor = cursorOf(markOf(before.connection, RUN));
  before.fails('ws-a');
  // As a dashboard that was started meanwhile.
  const feed = new RunFeed(before.connection, RUN, {
    logs: '/nowhere',
    addressOf: () => null,
    headOf: async () => JSON.stringify(before.heads.push(1)),
  });
  joins({ ...before, feed }, cursor);
  feed.read(before.connection, 'none');
  expect(before.heads).toEqual([1]);
});

test('a run that has ended is over, also for a client that comes later', () => {
  const run = followed();
  for (const id of IDS) run.ends(id);
  run.recorder.finish(end());
  expect(joins(run, '').map(({ event }) => event)).toContain('over');
});

/** Lets workstreams of a run be tried again, whose results are taken back. */
function reopens({ recorder }: ReturnType<typeof followed>, ids: readonly string[], runId = RUN): void {
  const withdrawals = ids.map((workstreamId) => ({ workstreamId, by: 'me', at: '' }));
  recorder.withdraw(runId, withdrawals);
}

test('a client is told which results are gone, and gets what has their numbers now', async () => {
  const run = followed();
  run.fails('ws-a');
  run.feed.read(run.connection, 'changed');
  const { position } = run.feed.broadcast;
  const cursor = cursorOf(markOf(run.connection, RUN));
  reopens(run, ['ws-a']);
  // Its row gets the number that the other had.
  run.ends('ws-b');
  run.feed.read(run.connection, 'changed');
  expect((await next(run, position, 'rows')).data).toEqual({ gone: ['ws-a'], rows: [] });
  expect((await next(run, position + 1, 'rows')).data).toMatchObject({ gone: [], rows: [{ id: 'ws-b' }] });
  const told = joins(run, cursor).find(({ event }) => event === 'rows');
  expect(told?.data).toMatchObject({ gone: ['ws-a'], rows: [{ id: 'ws-b' }] });
});

test('clients know what is stored, whatever is withdrawn, and whenever they were away', async () => {
  const random = seededRandom(7);
  const oneOf = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const run = followed();
  const ids = Array.from({ length: 12 }, (_, index) => `ws-${index}`);
  const stored = new Set<string>();
  const clients = Array.from({ length: 4 }, () => ({
    cursor: cursorOf(markOf(run.connection, RUN)),
    known: new Set<string>(),
  }));
  for (let step = 0; step < 300; step += 1) {
    const id = oneOf(ids) ?? '';
    if (stored.delete(id)) reopens(run, [id]);
    else {
      stored.add(id);
      run.fails(id);
    }
    if (random() < 0.5) run.feed.read(run.connection, 'changed');
    const client = oneOf(clients);
    if (client === undefined) continue;
    for (const { event, data, id: cursor } of joins(run, client.cursor)) {
      expect(event).not.toBe('reload');
      if (event !== 'rows') continue;
      for (const gone of data['gone'] as string[]) client.known.delete(gone);
      for (const row of data['rows'] as { id: string }[]) client.known.add(row.id);
      client.cursor = cursor;
    }
    expect([...client.known].toSorted()).toEqual([...stored].toSorted());
  }
});

test('a result that gets the number of one of another run is sent', async () => {
  const run = followed();
  const other = 'ma-run-20260102-030406';
  run.recorder.take([
    started(['ws-x'], { runId: other }),
    finished({ ...failed('ws-x', 'E'), runId: other }),
  ]);
  run.recorder.commit();
  run.feed.read(run.connection, 'changed');
  const { position } = run.feed.broadcast;
  reopens(run, ['ws-x'], other);
  run.ends('ws-b');
  run.feed.read(run.connection, 'changed');
  expect((await next(run, position, 'rows')).data).toMatchObject({ gone: [], rows: [{ id: 'ws-b' }] });
});

test('a client has to load the document again where an earlier version withdrew results', () => {
  const run = followed();
  run.ends('ws-a');
  const cursor = cursorOf(markOf(run.connection, RUN));
  run.connection.exec(
    `INSERT INTO reopened (run_id, workstream_id, at, "by") VALUES ('${RUN}', 'ws-a', '', 'me')`,
  );
  expect(joins(run, cursor).map(({ event }) => event)).toContain('reload');
});

test.each(['', 'x', '1.2', '1.2.3.4', '1.2.3.4.5', '1.2.3.', '-1.0.0', '1e3.0.0'])(
  'a cursor that is none, %j, means to load it again',
  (cursor) => {
    const run = followed();
    expect(joins(run, cursor)[0]?.event).toBe('reload');
  },
);

test('a removed run is told once', () => {
  const run = followed();
  const { position } = run.feed.broadcast;
  run.connection.exec(`DELETE FROM consolidated_runs`);
  run.feed.read(run.connection, 'changed');
  run.feed.read(run.connection, 'changed');
  expect(run.feed.broadcast.position).toBe(position + 1);
});

test('a live state that has not changed is not sent again, and who comes is told what time it is now', () => {
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const run = followed();
  const { position } = run.feed.broadcast;
  now += 3_600_000;
  const live = joins(run, cursorOf(markOf(run.connection, RUN))).filter(({ event }) => event === 'live');
  expect(live).toMatchObject([{ data: { now: '2026-01-01T01:00:00.000Z' } }]);
  expect(run.feed.broadcast.position).toBe(position);
});

test('a run that was taken for dead and is not has its live state again', async () => {
  const run = followed();
  // What can't be looked up is alive as long as it says so.
  const says = (at: string): void =>
    void run.connection
      .prepare(`UPDATE consolidated_runs SET hostname = 'elsewhere', heartbeat_at = ?`)
      .run(at);
  says(new Date().toISOString());
  run.feed.read(run.connection, 'changed');
  says('2026-01-01T00:00:00.000Z');
  run.feed.read(run.connection, 'changed');
  const { position } = run.feed.broadcast;
  says(new Date().toISOString());
  run.feed.read(run.connection, 'changed');
  expect(await next(run, position, 'live')).toBeDefined();
});

/** Of each row that was sent what it says of its merge, in their order. */
const mergesIn = (messages: readonly Message[]): (readonly [id: string, merge: unknown])[] =>
  messages
    .filter(({ event }) => event === 'rows')
    .flatMap(({ data }) =>
      (data['rows'] as { id: string; merge?: unknown }[]).map(({ id, merge }) => [id, merge] as const),
    );

/** All messages that are sent after a position. */
async function sentAfter(run: ReturnType<typeof followed>, from: number): Promise<Message[]> {
  const client = new KeepingClient();
  run.feed.broadcast.enter(client, from, new Uint8Array());
  await Promise.resolve();
  return client.taken.flatMap(messagesIn);
}

describe('what becomes of work after its result was sent', () => {
  test('is sent as its result again, and to a client that comes back', async () => {
    const run = followed();
    for (const id of IDS) run.works(id);
    run.feed.read(run.connection, 'changed');
    const { position } = run.feed.broadcast;
    const cursor = cursorOf(markOf(run.connection, RUN));
    run.merges('ws-b', 'merged');
    run.feed.read(run.connection, 'changed');
    const sent = await next(run, position, 'rows');
    expect(mergesIn([sent])).toEqual([['ws-b', 'merged']]);
    expect(sent.id).toBe(cursorOf(markOf(run.connection, RUN)));
    expect(mergesIn(joins(run, cursor))).toEqual([['ws-b', 'merged']]);
    expect(mergesIn(joins(run, sent.id))).toEqual([]);
  });

  test('is sent once, as it is then, however often it changes between two looks', async () => {
    const run = followed();
    for (const id of IDS) run.works(id);
    run.feed.read(run.connection, 'changed');
    const { position } = run.feed.broadcast;
    run.merges('ws-c', 'conflict');
    run.merges('ws-a', 'merged');
    run.merges('ws-c', 'merged');
    run.feed.read(run.connection, 'changed');
    expect(mergesIn(await sentAfter(run, position))).toEqual([
      ['ws-a', 'merged'],
      ['ws-c', 'merged'],
    ]);
  });

  test('comes with the result where both are new', async () => {
    const run = followed();
    const { position } = run.feed.broadcast;
    const cursor = cursorOf(markOf(run.connection, RUN));
    run.works('ws-a');
    run.merges('ws-a', 'conflict');
    run.feed.read(run.connection, 'changed');
    const expected = [['ws-a', 'conflict']];
    expect(mergesIn(await sentAfter(run, position))).toEqual(expected);
    expect(mergesIn(joins(run, cursor))).toEqual(expected);
  });

  test('of another run is no news, nor does it matter that that one is removed', async () => {
    const run = followed();
    const other = 'ma-run-20260102-030406';
    record(run.connection, [result('ws-x')], { runId: other });
    run.works('ws-a');
    run.merges('ws-a', 'merged');
    run.connection.exec(`UPDATE agent_results SET merge_status = 'merged' WHERE run_id = '${other}'`);
    run.feed.read(run.connection, 'changed');
    const { position } = run.feed.broadcast;
    const cursor = cursorOf(markOf(run.connection, RUN));
    removeRuns(run.connection, [other]);
    run.merges('ws-a', 'conflict');
    run.feed.read(run.connection, 'changed');
    const expected = [['ws-a', 'conflict']];
    expect(mergesIn(await sentAfter(run, position))).toEqual(expected);
    expect(mergesIn(joins(run, cursor))).toEqual(expected);
  });

  test('makes the head anew, which tells of it too', () => {
    const run = followed();
    run.works('ws-a');
    joins(run, cursorOf(markOf(run.connection, RUN)));
    expect(run.heads).toEqual([]);
    run.merges('ws-a', 'conflict');
    run.feed.read(run.connection, 'changed');
    expect(run.heads).toEqual([1]);
  });

  test('is known to a client with a cursor of an earlier version', () => {
    const run = followed();
    run.works('ws-a');
    const cursor = cursorOf(markOf(run.connection, RUN)).replace(/\.\d+$/, '');
    expect(cursor).toMatch(/^\d+\.\d+\.\d+$/);
    run.merges('ws-a', 'merged');
    run.ends('ws-b');
    expect(mergesIn(joins(run, cursor))).toEqual([
      ['ws-a', 'merged'],
      ['ws-b', undefined],
    ]);
  });

  test('is known to all, whatever is withdrawn meanwhile, and whenever they were away', async () => {
    const random = seededRandom(11);
    const oneOf = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
    const run = followed();
    const ids = Array.from({ length: 12 }, (_, index) => `ws-${index}`);
    const stored = new Map<string, Merge['status'] | undefined>();
    const clients = Array.from({ length: 4 }, () => ({
      cursor: cursorOf(markOf(run.connection, RUN)),
      known: new Map<string, unknown>(),
    }));
    for (let step = 0; step < 400; step += 1) {
      const id = oneOf(ids) ?? '';
      if (!stored.has(id)) {
        const isWork = random() < 0.6;
        stored.set(id, isWork ? 'pending' : undefined);
        if (isWork) run.works(id);
        else run.fails(id);
      } else if (stored.get(id) === undefined) {
        stored.delete(id);
        reopens(run, [id]);
      } else {
        const status = oneOf(['merged', 'conflict', 'breaks-tests'] as const) ?? 'merged';
        stored.set(id, status);
        run.merges(id, status);
      }
      if (random() < 0.5) run.feed.read(run.connection, 'changed');
      const client = oneOf(clients);
      if (client === undefined) continue;
      for (const message of joins(run, client.cursor)) {
        expect(message.event).not.toBe('reload');
        if (message.event !== 'rows') continue;
        for (const gone of message.data['gone'] as string[]) client.known.delete(gone);
        for (const [each, merge] of mergesIn([message])) client.known.set(each, merge);
        client.cursor = message.id;
      }
      expect(Object.fromEntries(client.known)).toEqual(Object.fromEntries(stored));
    }
  });

  test('is told of a large run too, of which not all results are', async () => {
    const run = followed();
    const ids = Array.from({ length: 10_001 }, (_, index) => `ws-many-${index}`);
    run.recorder.take(ids.map((id) => finished(result(id))));
    run.recorder.commit();
    run.works('ws-a');
    run.feed.read(run.connection, 'changed');
    const { position } = run.feed.broadcast;
    run.works('ws-b');
    run.merges('ws-b', 'conflict');
    run.merges('ws-a', 'merged');
    run.works('ws-c');
    run.feed.read(run.connection, 'changed');
    expect(mergesIn(await sentAfter(run, position))).toEqual([
      ['ws-a', 'merged'],
      ['ws-b', 'conflict'],
    ]);
  });
});

describe('of a database of an earlier version, which does not say what is merged', () => {
  /** A run that is written to such a database, and its feed. */
  function earlier() {
    const path = databaseIn(temporaryFolder());
    return followed(olderDatabase(path, mergeChanges), () => {
      const reading = openForReading(path);
      if (reading === null) throw new Error('there is no database');
      onTestFinished(() => void reading.close());
      return reading;
    });
  }

  test('a client has to load the document again once, when the run is over', async () => {
    const run = earlier();
    run.works('ws-a');
    run.feed.read(run.connection, 'changed');
    const { position } = run.feed.broadcast;
    const cursor = cursorOf(markOf(run.connection, RUN));
    run.merges('ws-a', 'conflict');
    run.feed.read(run.connection, 'changed');
    expect((await sentAfter(run, position)).map(({ event }) => event)).not.toContain('reload');
    run.recorder.finish(end());
    run.feed.read(run.connection, 'changed');
    const told = (await sentAfter(run, position)).map(({ event }) => event);
    expect(told.filter((event) => event === 'reload' || event === 'over')).toEqual(['reload', 'over']);
    expect(joins(run, cursor).map(({ event }) => event)).toContain('reload');
    expect(joins(run, cursorOf(markOf(run.connection, RUN))).map(({ event }) => event)).not.toContain(
      'reload',
    );
  });
});
