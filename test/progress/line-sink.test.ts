import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LineSink } from '../../src/progress/line-sink.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** Both ends of a pipe that does not block. */
function pipe(): { reader: number; writer: number } {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  return { reader, writer };
}

function read(descriptor: number): string {
  const bytes = Buffer.alloc(1 << 20);
  try {
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } catch {
    // Nothing is there.
    return '';
  }
}

const line = (n: number): string => `${n} ${'x'.repeat(1_000)}\n`;
const silent = { failed: () => undefined, dropped: () => undefined };

test('lines wait for a reader that is late, whole and in order', async () => {
  const { reader, writer } = pipe();
  const sink = new LineSink(writer, silent);
  for (let n = 0; n < 10_000; n += 1) sink.write(line(n));
  const closed = sink.close().then(() => true);
  let text = '';
  while (!(await Promise.race([closed, new Promise((resolve) => setImmediate(resolve, false))]))) {
    text += read(reader);
  }
  text += read(reader);
  expect(text.split('\n').slice(0, -1)).toEqual(Array.from({ length: 10_000 }, (_, n) => line(n).trimEnd()));
});

test('what there is no room for is counted, and told when the reader reads again', async () => {
  const { reader, writer } = pipe();
  const told: number[] = [];
  const sink = new LineSink(
    writer,
    { failed: () => undefined, dropped: (lines) => told.push(lines) },
    100_000,
  );
  // The last ones together.
  for (let n = 0; n < 990; n += 1) sink.write(line(n));
  sink.write(Array.from({ length: 10 }, (_, n) => line(990 + n)).join(''), 10);
  let text = '';
  while (told.length === 0) {
    text += read(reader);
    await new Promise((resolve) => setImmediate(resolve));
  }
  text += read(reader);
  const lines = text.split('\n').length - 1;
  expect(told).toEqual([1_000 - lines]);
  expect(lines).toBeGreaterThan(90);
  await sink.close();
});

test('a reader that takes nothing is waited for as long as was said', async () => {
  const { reader, writer } = pipe();
  const sink = new LineSink(writer, silent);
  for (let n = 0; n < 1_000; n += 1) sink.write(line(n));
  await sink.close(10);
  expect(read(reader)).toContain('0 xxx');
});

test('a reader that has gone is no failure', async () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const told: Error[] = [];
  const sink = new LineSink(writer, { failed: (error) => told.push(error), dropped: () => undefined });
  for (let n = 0; n < 1_000; n += 1) sink.write(line(n));
  closeSync(reader);
  await sink.close();
  sink.write('one more\n');
  expect(told).toEqual([]);
});
