/** A dashboard that is left open holds as much after many runs as after few. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bearer, TOKEN } from '../kit/dashboard-server.ts';
import { databaseIn, failed, opened, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

// They take a quarter of the usual limit on an idle machine.
vi.setConfig({ testTimeout: 240_000 });

const PROGRAM = fileURLToPath(new URL('../fixtures/measured-dashboard.mjs', import.meta.url));

interface Held {
  heapUsed: number;
  arrayBuffers: number;
}

async function measured(folder: string): Promise<{ address: string; held: () => Promise<Held> }> {
  const child = fork(PROGRAM, [databaseIn(folder), TOKEN], { execArgv: ['--expose-gc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { address } = await told<{ address: string }>(child);
  const held = (): Promise<Held> => {
    child.send('held');
    return told<Held>(child);
  };
  return { address, held };
}

async function told<T>(child: ChildProcess): Promise<T> {
  const [message]: T[] = await once(child, 'message');
  if (message === undefined) throw new Error('nothing was told');
  return message;
}

/** A client of server-sent events, which reads on until it has met a text. */
async function client(address: string, path: string) {
  const aborter = new AbortController();
  onTestFinished(() => aborter.abort());
  const { body } = await fetch(`${address}${path}`, { headers: bearer, signal: aborter.signal });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  const until = async (text: string): Promise<void> => {
    for (let read = ''; !read.includes(text); ) {
      const next = await reader?.read();
      if (next?.done !== false) throw new Error(`the stream ended before ${text}`);
      read = (read + next.value).slice(-20_000);
    }
  };
  return { until, leave: () => aborter.abort() };
}

const AT_ONCE = 20;

test('what it holds does not grow with a thousand runs that it shows', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const { address, held } = await measured(folder);
  const list = await client(address, '/api/events');
  let runs = 0;
  /** Shows a client some more runs in the list, and the last of them. */
  const more = async (): Promise<void> => {
    const ids = Array.from(
      { length: AT_ONCE },
      () => `ma-run-20260102-${String((runs += 1)).padStart(6, '0')}`,
    );
    for (const runId of ids)
      record(connection, [result('ws-a'), failed('ws-b', `It broke in ${runId}`)], { runId });
    const last = ids.at(-1) ?? '';
    await list.until(last);
    const one = await client(address, `/api/runs/${last}/events?after=0.0.0`);
    await one.until('event: over');
    one.leave();
  };
  for (let times = 0; times < 10; times += 1) await more();
  const before = await held();
  for (let times = 0; times < 50; times += 1) await more();
  const after = await held();
  // Ids of runs are held, and messages up to a limit.
  expect(after.heapUsed - before.heapUsed).toBeLessThan(1_500_000);
  expect(after.arrayBuffers).toBeLessThan(4_000_000);
});

/** A connection that sends a request, and reads no more of the answer than the first bytes. */
async function unreading(address: string, path: string): Promise<Socket> {
  const { port } = new URL(address);
  const socket = connect(Number(port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${bearer.authorization}\r\n\r\n`,
  );
  await once(socket, 'readable');
  return socket;
}

test('clients that do not read, and those that leave in the middle, hold little and delay nobody', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const long = Array.from({ length: 3_000 }, (_, index) =>
    failed(`ws-${index}`, `${index} ${'words '.repeat(300)}`),
  );
  record(connection, long, { runId: 'ma-run-20260101-000001' });
  const { address, held } = await measured(folder);
  const document = '/api/runs/ma-run-20260101-000001';
  const { body } = await fetch(`${address}${document}`, { headers: bearer });
  expect((await new Response(body).text()).length).toBeGreaterThan(5_000_000);
  const readers = await Promise.all(Array.from({ length: 40 }, () => client(address, '/api/events')));
  const before = await held();
  for (let times = 0; times < 10; times += 1) await unreading(address, '/api/events');
  for (let times = 0; times < 10; times += 1) await unreading(address, document);
  for (let times = 0; times < 10; times += 1) (await unreading(address, document)).destroy();
  record(connection, [result('ws-a')], { runId: 'ma-run-20260101-000002' });
  await Promise.all(readers.map(({ until }) => until('ma-run-20260101-000002')));
  const after = await held();
  // Of each document a few pieces are held, and not the whole, which has 5 MB.
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(5_000_000);
  expect(after.heapUsed - before.heapUsed).toBeLessThan(3_000_000);
});

test('as many clients as there may be connections are all told, and leave nothing behind', async () => {
  const folder = temporaryFolder();
  const connection = opened(folder);
  const { address, held } = await measured(folder);
  const one = await client(address, '/api/events');
  const before = await held();
  const { port } = new URL(address);
  const request = `GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${bearer.authorization}\r\n\r\n`;
  const sockets = await Promise.all(
    Array.from({ length: 900 }, async () => {
      const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8');
      onTestFinished(() => void socket.destroy());
      socket.write(request);
      await once(socket, 'data');
      return socket;
    }),
  );
  const told = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.on('data', (text: string) =>
          text.includes('ma-run-20260102-000001') ? resolve() : undefined,
        );
      }),
  );
  record(connection, [result('ws-a')], { runId: 'ma-run-20260102-000001' });
  await Promise.all([...told, one.until('ma-run-20260102-000001')]);
  for (const socket of sockets) socket.destroy();
  await expect
    .poll(async () => (await held()).heapUsed - before.heapUsed, { timeout: 30_000 })
    .toBeLessThan(2_000_000);
});
