/** The programs that people pipe the log into read all of it, and what becomes of them does not concern the run. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { logLineSchema } from '../../src/progress/log-schema.ts';
import { compiled } from '../kit/compiled.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const program = await compiled(new URL('log-program.ts', import.meta.url));
/** What `many` writes: two lines for each of 50,000 workstreams, and one at the start and the end. */
const LINES = 100_002;

const require = createRequire(import.meta.url);
const pinoPretty = require.resolve('pino-pretty/bin.js');
const hasJq = spawnSync('jq', ['--version']).status === 0;

/** Pipes 100,000 lines into a program as a shell does. Returns what it printed, and how the writer ended. */
async function pipeInto(command: [string, ...string[]], file: string[] = []) {
  const [name, ...args] = command;
  const reader = spawn(name, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const writer = spawn(process.execPath, [program, 'many', ...file], {
    stdio: ['ignore', reader.stdin, 'pipe'],
  });
  reader.stdin.destroy();
  const [printed, said, [code]] = await Promise.all([
    text(reader.stdout),
    text(writer.stderr),
    once(writer, 'exit'),
  ]);
  return { printed, said, code: Number(code) };
}

test('pino-pretty shows 100,000 lines', async () => {
  const { printed, code } = await pipeInto([
    process.execPath,
    pinoPretty,
    '--singleLine',
    '--colorize=false',
  ]);
  const lines = printed.trim().split('\n');
  expect([lines.length, code]).toEqual([LINES, 0]);
  expect(lines[0]).toMatch(/INFO: ma-run-\S+ started \{.*"event":"run-started","log_version":1/);
  expect(lines.filter((line) => /^\[[\d:.]+\] INFO: ws-\d+ (started|completed) \{/.test(line))).toHaveLength(
    LINES - 2,
  );
});

test.skipIf(!hasJq)('jq reads 100,000 lines', async () => {
  const filter = 'select(.event == "workstream-finished" and .status == "completed") | .workstream_id';
  const { printed, code } = await pipeInto(['jq', '-r', filter]);
  expect(code).toBe(0);
  expect(printed).toBe(Array.from({ length: 50_000 }, (_, n) => `ws-${n + 1}\n`).join(''));
});

test('a reader that ends early ends nothing: the file has all lines', async () => {
  const file = join(temporaryFolder(), 'run.log');
  const { printed, said, code } = await pipeInto(['head', '-n', '3'], [file]);
  expect([printed.trim().split('\n').length, said, code]).toEqual([3, 'begin\nsurvived\n', 0]);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(LINES);
  const wrong = lines.slice(-1_000).filter((line) => !logLineSchema.safeParse(JSON.parse(line)).success);
  expect(wrong).toEqual([]);
});

test('as text each line has its time, its level and what happened', async () => {
  const writer = spawn(process.execPath, [program, 'text'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = (await text(writer.stdout)).trim().split('\n');
  expect(lines).toHaveLength(10_002);
  expect(lines[0]).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO {2}ma-run-\S+ started agents=1 workstreams=5000$/,
  );
  expect(lines[2]).toMatch(/Z INFO {2}ws-1 completed agent_id=agent-1 workstream_id=ws-1 status=completed /);
});
