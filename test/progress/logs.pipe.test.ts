import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { compiled } from '../kit/compiled.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const program = await compiled(new URL('log-program.ts', import.meta.url));
/** One at the start and one at the end of the run, and two for each of its workstreams. */
const LINES = 10_002;

const start = (args: string[]): ChildProcess =>
  spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

interface LogLine {
  event: string;
  workstream_id?: string;
}

const parse = (all: string): LogLine[] =>
  all
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogLine);

function expectAll(lines: LogLine[]): void {
  expect(lines).toHaveLength(LINES);
  const finished = lines.filter(({ event }) => event === 'workstream-finished');
  expect(finished.map((line) => line.workstream_id)).toEqual(
    Array.from({ length: 5_000 }, (_, n) => `ws-${n + 1}`),
  );
}

test.each(['blocking', 'without blocking', 'exit'])(
  'every line is whole and in order in a pipe whose reader is late: %s',
  async (what) => {
    const child = start([what]);
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    const exit = once(child, 'exit');
    const said = text(stderr);
    await once(stderr, 'readable');
    const written = await text(stdout);
    expectAll(parse(written));
    expect(written.endsWith('}\n')).toBe(true);
    expect(await said).toBe('begin\nsurvived\n');
    expect((await exit)[0]).toBe(what === 'exit' ? 3 : 0);
  },
);

test('a reader that reads nothing keeps no line from being taken', async () => {
  const child = start(['without blocking']);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('no pipes');
  const exit = once(child, 'exit');
  for await (const chunk of stderr) if (String(chunk).includes('survived')) break;
  expectAll(parse(await text(stdout)));
  expect((await exit)[0]).toBe(0);
});

test('a reader that has had enough does not end the run, and the file gets all lines', async () => {
  const file = join(temporaryFolder(), 'logs', 'run.ndjson');
  const script = '{ "$0" "$@"; echo "exit code $?" >&2; } | head -1';
  const child = spawn('sh', ['-c', script, process.execPath, program, 'blocking', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [first, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(JSON.parse(first)).toMatchObject({ event: 'run-started' });
  expect(said).toBe('begin\nsurvived\nexit code 0\n');
  expectAll(parse(readFileSync(file, 'utf8')));
});

test('a disk that is full is said once and ends nothing', async () => {
  const child = start(['blocking', '/dev/full']);
  const { stdout } = child;
  if (stdout === null) throw new Error('no pipe');
  const exit = once(child, 'exit');
  child.stderr?.resume();
  const lines = parse(await text(stdout));
  expect((await exit)[0]).toBe(0);
  expect(lines.filter(({ event }) => event === 'log-lost')).toEqual([
    expect.objectContaining({ level: 40, msg: "the log can't be written to /dev/full any more" }),
  ]);
  expectAll(lines.filter(({ event }) => event !== 'log-lost'));
});
