/** A dashboard that is left open holds as much after many runs as after few. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bearer, TOKEN } from '../kit/dashboard-server.ts';
import { databaseIn, failed, opened, record, result } from '../kit/recorded-run.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

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
