/** What clients take of messages that are made once for all of them. */
import { expect, test } from 'vitest';
import { Broadcast } from '../../src/dashboard/broadcast.ts';
import { eventBytes } from '../../src/dashboard/client-stream.ts';
import { KeepingClient } from '../kit/event-client.ts';

const MISSED = eventBytes('missed', '{}');

/** A client that is sent what comes after a position, once it has been sent. */
async function entered(broadcast: Broadcast, from = 0): Promise<KeepingClient> {
  const client = new KeepingClient();
  broadcast.enter(client, from, MISSED);
  await Promise.resolve();
  return client;
}

test('clients that are at the same place are sent the same bytes, which were put together once', async () => {
  const broadcast = new Broadcast();
  broadcast.publish(eventBytes('rows', '[1]'));
  broadcast.replace('live', eventBytes('live', '{}'));
  const clients = await Promise.all([1, 2, 3].map(() => entered(broadcast)));
  const [first] = clients;
  expect(first?.text).toBe('event: rows\ndata: [1]\n\nevent: live\ndata: {}\n\n');
  for (const { taken } of clients) {
    expect(taken).toHaveLength(1);
    expect(taken[0]).toBe(first?.taken[0]);
  }
});

test('what is published at one moment is sent in one piece', async () => {
  const broadcast = new Broadcast();
  const client = await entered(broadcast);
  broadcast.publish(eventBytes('rows', '[1]'));
  broadcast.publish(eventBytes('rows', '[2]'));
  expect(client.taken).toEqual([]);
  await Promise.resolve();
  expect(client.taken).toHaveLength(1);
});

test('a client gets every message once and in order, in pieces of a bounded size', async () => {
  const broadcast = new Broadcast();
  const all = Array.from({ length: 300 }, (_, index) =>
    eventBytes('rows', JSON.stringify({ index, fill: 'x'.repeat(1_000) })),
  );
  for (const each of all) broadcast.publish(each);
  const { text, taken } = await entered(broadcast);
  expect(text).toBe(all.map((bytes) => new TextDecoder().decode(bytes)).join(''));
  expect(taken.length).toBeGreaterThan(1);
  for (const { length } of taken) expect(length).toBeLessThanOrEqual(64_000);
});

test('a client that takes nothing is sent nothing, and all that it missed when it takes more', async () => {
  const broadcast = new Broadcast();
  const client = await entered(broadcast);
  client.isReady = false;
  broadcast.publish(eventBytes('rows', '[1]'));
  await Promise.resolve();
  broadcast.publish(eventBytes('rows', '[2]'));
  await Promise.resolve();
  expect(client.taken).toEqual([]);
  client.becomeReady();
  expect(client.text).toBe('event: rows\ndata: [1]\n\nevent: rows\ndata: [2]\n\n');
});

test('of what is replaced a client gets the newest, and one that is too slow is told so', async () => {
  const broadcast = new Broadcast();
  for (let index = 0; index < 100; index += 1) broadcast.replace('live', eventBytes('live', String(index)));
  expect((await entered(broadcast)).text).toBe('event: live\ndata: 99\n\n');
  for (let index = 0; index < 5; index += 1) broadcast.publish(eventBytes('rows', 'x'.repeat(1_000_000)));
  const slow = await entered(broadcast);
  expect(slow.taken).toEqual([MISSED]);
  expect(slow.hasEnded).toBe(true);
});

test('of what was forgotten a client is sent nothing', async () => {
  const broadcast = new Broadcast();
  broadcast.replace('over', eventBytes('over', '{}'));
  broadcast.forget('over');
  const client = await entered(broadcast);
  broadcast.publish(eventBytes('rows', '[]'));
  await Promise.resolve();
  expect(client.text).toBe('event: rows\ndata: []\n\n');
});

test('a client that has left is sent nothing', async () => {
  const broadcast = new Broadcast();
  const client = await entered(broadcast);
  broadcast.leave(client);
  broadcast.publish(eventBytes('rows', '[]'));
  await Promise.resolve();
  expect(client.taken).toEqual([]);
});
