/** What one client of server-sent events is sent, and when, over a real connection. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ClientStream, eventBytes } from '../../src/dashboard/client-stream.ts';
import { inTurns } from '../../src/dashboard/slices.ts';

/** A stream, and the answer as its client gets it. */
async function streamed(): Promise<{ stream: ClientStream; answer: IncomingMessage }> {
  // The connection itself needs the others.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  const server = createServer();
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    vi.useRealTimers();
  });
  const asked = new Promise<ClientStream>((resolve) => {
    server.once('request', (_, response) => {
      const stream = new ClientStream(response);
      stream.send(FIRST);
      resolve(stream);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const [answer]: IncomingMessage[] = await once(get({ port, host: '127.0.0.1' }), 'response');
  if (answer === undefined) throw new Error('there is no answer');
  return { stream: await asked, answer: answer.setEncoding('utf8') };
}

/** What a client gets from now on. Not by `vi.waitFor`, which sets the clock of the test further. */
function taken(answer: IncomingMessage) {
  let text = '';
  answer.on('data', (part: string) => (text += part));
  const until = async (isSo: (text: string) => boolean): Promise<void> => {
    while (!isSo(text)) await once(answer, 'data');
  };
  return { until, text: () => text };
}

/** More than a connection keeps waiting before it asks its writer to wait, and less than a system takes at once. */
const LARGE = eventBytes('rows', JSON.stringify('x'.repeat(20_000)));

/** Sends more than the system takes, and than the client takes from it that holds a part and reads no more. */
function fill(stream: ClientStream): void {
  while (stream.isReady) stream.send(LARGE);
  for (let times = 0; times < 200; times += 1) stream.send(LARGE);
}

const FIRST = eventBytes('rows', '[1]', '0.1.0');
const TEN_SECONDS = 10_000;
const HEARTBEATS = 1;

test('what a stream begins with comes with its headers', async () => {
  const { answer } = await streamed();
  expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  expect(String(await once(answer, 'data'))).toBe('id: 0.1.0\nevent: rows\ndata: [1]\n\n');
});

test('a client that is sent nothing gets a heartbeat within 20 seconds, and no other does', async () => {
  const { stream, answer } = await streamed();
  await once(answer, 'data');
  vi.advanceTimersByTime(TEN_SECONDS);
  stream.send(eventBytes('rows', '[2]'));
  vi.advanceTimersByTime(TEN_SECONDS);
  stream.send(eventBytes('rows', '[3]'));
  const { until, text } = taken(answer);
  await until((each) => each.endsWith('[3]\n\n'));
  expect(text()).not.toContain('heartbeat');
  vi.advanceTimersByTime(2 * TEN_SECONDS);
  // Without an id: it is not where a client that comes back goes on.
  await until((each) => each.endsWith('data: [3]\n\nevent: heartbeat\ndata: {}\n\n'));
});

test('a client that is gone is sent nothing more, and whoever waits for it is told', async () => {
  const { stream, answer } = await streamed();
  const gone = new Promise<void>((resolve) => stream.whenGone(resolve));
  answer.destroy();
  await gone;
  expect([stream.isReady, stream.signal.aborted, vi.getTimerCount()]).toEqual([false, true, 0]);
  expect(() => stream.send(FIRST)).not.toThrow();
});

test('a client whose system takes all at once is ready, and nobody waits for it', async () => {
  const { stream } = await streamed();
  const told = vi.fn<() => void>();
  stream.onReady = told;
  stream.send(LARGE);
  expect([stream.isReady, vi.getTimerCount()]).toEqual([true, HEARTBEATS]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).not.toHaveBeenCalled();
});

test('a client that reads again is ready once it has taken everything, and stays', async () => {
  const { stream, answer } = await streamed();
  fill(stream);
  expect(vi.getTimerCount()).toBe(HEARTBEATS + 1);
  const ready = new Promise<void>((resolve) => (stream.onReady = resolve));
  answer.resume();
  await ready;
  expect([stream.isReady, vi.getTimerCount()]).toEqual([true, HEARTBEATS]);
});

test('a client that takes nothing for 30 seconds is disconnected, and sent no heartbeats meanwhile', async () => {
  const { stream } = await streamed();
  fill(stream);
  const gone = new Promise<void>((resolve) => stream.whenGone(resolve));
  const send = vi.spyOn(stream, 'send');
  vi.advanceTimersByTime(3 * TEN_SECONDS - 1);
  expect([stream.signal.aborted, send.mock.calls]).toEqual([false, []]);
  vi.advanceTimersByTime(1);
  await gone;
  expect(vi.getTimerCount()).toBe(0);
});

test('messages are made one after the other, and others are served in between', async () => {
  const { stream, answer } = await streamed();
  const order: string[] = [];
  function* made(): Generator<Uint8Array> {
    for (const name of ['a', 'b', 'c']) {
      order.push(name);
      setImmediate(() => order.push(`other work after ${name}`));
      yield eventBytes('rows', JSON.stringify(name));
    }
  }
  const { until, text } = taken(answer);
  await stream.sendEach(inTurns(made()));
  expect(order).toEqual(['a', 'b', 'c'].flatMap((name) => [name, `other work after ${name}`]));
  await until((each) => each.includes('"c"\n\n'));
  expect(text()).toMatch(/data: "a"\n\nevent: rows\ndata: "b"\n\nevent: rows\ndata: "c"\n\n$/);
});

test('nothing more is made for a client that is gone', async () => {
  const { stream, answer } = await streamed();
  const gone = new Promise<void>((resolve) => stream.whenGone(resolve));
  let count = 0;
  async function* made(): AsyncGenerator<Uint8Array> {
    for (;;) {
      count += 1;
      yield FIRST;
      answer.destroy();
      await gone;
    }
  }
  await stream.sendEach(made());
  expect(count).toBe(2);
});
