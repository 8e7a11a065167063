/** What clients take of messages that are made once for all of them. */
import { expect, test } from 'vitest';
import { Broadcast, eventBytes } from '../../src/dashboard/broadcast.ts';

const MISSED = eventBytes('missed', '{}');
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The pieces that a client is sent, until it knows all. */
async function taken(broadcast: Broadcast, from = 0): Promise<Uint8Array[]> {
  const aborter = new AbortController();
  const pieces: Uint8Array[] = [];
  const { position } = broadcast;
  const end = eventBytes('end', String(position));
  broadcast.publish(end);
  for await (const bytes of broadcast.after(from, { missed: MISSED, signal: aborter.signal })) {
    pieces.push(bytes);
    if (bytes === MISSED || textOf(bytes).endsWith(textOf(end))) break;
  }
  aborter.abort();
  return pieces;
}

test('clients that are at the same place are sent the same bytes, which were put together once', async () => {
  const broadcast = new Broadcast();
  broadcast.publish(eventBytes('rows', '[1]'));
  broadcast.replace('live', eventBytes('live', '{}'));
  const aborter = new AbortController();
  const options = { missed: MISSED, signal: aborter.signal };
  const clients = Array.from({ length: 3 }, () => broadcast.after(0, options));
  const pieces = await Promise.all(clients.map((client) => client.next()));
  const [first] = pieces;
  expect(textOf(first?.value ?? MISSED)).toBe('event: rows\ndata: [1]\n\nevent: live\ndata: {}\n\n');
  for (const { value } of pieces) expect(value).toBe(first?.value);
  aborter.abort();
});

test('a client gets every message once and in order, in pieces of a bounded size', async () => {
  const broadcast = new Broadcast();
  const all = Array.from({ length: 300 }, (_, index) =>
    eventBytes('rows', JSON.stringify({ index, fill: 'x'.repeat(1_000) })),
  );
  for (const each of all) broadcast.publish(each);
  const pieces = await taken(broadcast);
  const text = pieces.map(textOf).join('');
  expect(text.startsWith(all.map(textOf).join(''))).toBe(true);
  expect(pieces.length).toBeGreaterThan(1);
  for (const { length } of pieces) expect(length).toBeLessThanOrEqual(64_000);
});

test('of what is replaced a client gets the newest, and one that is too slow is told so', async () => {
  const broadcast = new Broadcast();
  for (let index = 0; index < 100; index += 1) broadcast.replace('live', eventBytes('live', String(index)));
  expect((await taken(broadcast)).map(textOf).join('')).toMatch(/^event: live\ndata: 99\n\nevent: end/);
  for (let index = 0; index < 5; index += 1) broadcast.publish(eventBytes('rows', 'x'.repeat(1_000_000)));
  expect(await taken(broadcast)).toEqual([MISSED]);
});

test('a client waits where what it was to be sent was forgotten', async () => {
  const broadcast = new Broadcast();
  broadcast.replace('over', eventBytes('over', '{}'));
  broadcast.forget('over');
  const aborter = new AbortController();
  const next = broadcast.after(0, { missed: MISSED, signal: aborter.signal }).next();
  broadcast.publish(eventBytes('rows', '[]'));
  expect(textOf((await next).value ?? MISSED)).toBe('event: rows\ndata: []\n\n');
  aborter.abort();
});
