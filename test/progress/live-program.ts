/**
 * A program that shows a run and does as it is told: each line that arrives on the socket is an event of the run or
 * one of the words below. Each is answered with a line once it is done.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { startLive } from '../../src/progress/live.ts';
import { completed, runStarted, started } from '../kit/events.ts';

const socket = connect(process.argv[2] ?? '');
const live = startLive({ stream: process.stdout });

/** 10,000 short workstreams, with the event loop free now and then. */
async function many(): Promise<string> {
  const start = performance.now();
  live.take([runStarted(10_000, 2)]);
  for (let n = 1; n <= 10_000; n += 1) {
    live.take([started(`ws-${n}`, (n % 2) + 1, 0)]);
    live.take([completed(`ws-${n}`, (n % 2) + 1, 0.001)]);
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return String(performance.now() - start);
}

const WORDS: Record<string, () => string | Promise<string>> = {
  stop: () => {
    live.stop();
    process.stdout.write('the summary\n');
    return '';
  },
  pause: () => {
    live.pause();
    process.stdout.write('a question? ');
    return '';
  },
  resume: () => {
    process.stdout.write('answered\n');
    live.resume();
    return '';
  },
  many,
  'listen for SIGINT': () => {
    process.once('SIGINT', () => process.stdout.write('told to stop\n'));
    return '';
  },
  'listen for SIGHUP': () => {
    process.on('SIGHUP', () => undefined);
    return '';
  },
  throw: () => {
    setImmediate(() => {
      throw new Error('out of the blue');
    });
    return '';
  },
  exit: () => '',
};

for await (const line of createInterface({ input: socket })) {
  const order = JSON.parse(line) as RunEvent | string;
  const answer = typeof order === 'string' ? await WORDS[order]?.() : live.take([order]);
  socket.write(`${answer ?? ''}\n`);
  if (order === 'exit') socket.end();
}
