/** A run that nobody watches any more: its terminal is closed, or the reader of its output has gone. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { bin, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { openTerminal } from '../kit/terminal.ts';

/** One that waits until the test writes to its pipe, one after it, and a pipe for the log that ends with the process. */
function waitingFolder(): string {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate'), join(folder, 'log'), join(folder, 'ready')]);
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-waits', steps: [{ run: 'echo > ready; cat gate' }] },
      { id: 'ws-after', steps: [{ run: 'exit 3' }], depends_on: ['ws-waits'] },
    ],
  });
  return folder;
}

const open = (folder: string): void => writeFileSync(join(folder, 'gate'), 'go\n');
const begun = (folder: string): void => void readFileSync(join(folder, 'ready'));

const recorded = (folder: string) => [
  query(
    folder,
    'SELECT state, exit_code AS code, completed_count AS completed, failed_count AS failed FROM consolidated_runs',
  ),
  query(folder, 'SELECT workstream_id AS id, status FROM agent_results ORDER BY id'),
];

const wholeRun = [
  [{ state: 'ended', code: 1, completed: 1, failed: 1 }],
  [
    { id: 'ws-after', status: 'failed' },
    { id: 'ws-waits', status: 'completed' },
  ],
];

test('a run whose terminal is closed goes on to its end', async () => {
  const folder = waitingFolder();
  const log = text(createReadStream(join(folder, 'log')));
  const terminal = await openTerminal(process.execPath, [bin, 'run', '--log-file', 'log'], { cwd: folder });
  begun(folder);
  await terminal.close();
  open(folder);
  const lines = parseLines(await log);
  expect(lines.find(({ event }) => event === 'notice')?.['msg']).toBe(
    'The terminal was closed. The run goes on; to end it, send SIGTERM to its process.',
  );
  expect(lines.at(-1)).toMatchObject({ event: 'run-ended', exit_code: 1 });
  expect(recorded(folder)).toEqual(wholeRun);
});

test('its exit code is that of any other run', async () => {
  const folder = waitingFolder();
  execFileSync('mkfifo', [join(folder, 'code')]);
  const code = text(createReadStream(join(folder, 'code')));
  // The terminal's first process ends with it; this one does not, and can tell how the command ended.
  const shell = `trap '' HUP; exec 3>code; '${process.execPath}' '${bin}' run; echo $? >&3`;
  const terminal = await openTerminal('sh', ['-c', shell], { cwd: folder });
  begun(folder);
  await terminal.close();
  open(folder);
  expect(await code).toBe('1\n');
  expect(recorded(folder)).toEqual(wholeRun);
});

test('a run whose terminal is closed while it asks is over', async () => {
  const folder = waitingFolder();
  const log = text(createReadStream(join(folder, 'log')));
  const terminal = await openTerminal(process.execPath, [bin, 'run', '--ask', '--log-file', 'log'], {
    cwd: folder,
  });
  await terminal.waitFor((screen) => screen.some((line) => line.includes('ws-waits: ws-waits')));
  await terminal.close();
  expect(parseLines(await log).at(-1)).toMatchObject({ event: 'run-ended' });
  expect(query(folder, 'SELECT state, skipped_count AS n FROM consolidated_runs')).toEqual([
    { state: 'interrupted', n: 2 },
  ]);
});

test('SIGHUP to a run without a terminal does not end it', async () => {
  const folder = waitingFolder();
  const run = startMillrace(folder, ['run']);
  begun(folder);
  run.child.kill('SIGHUP');
  await run.line((line) => line.includes('The terminal was closed'));
  open(folder);
  expect((await run.finished).code).toBe(1);
  expect(recorded(folder)).toEqual(wholeRun);
});

test.each([[[]], [['--json']]])('a run whose readers have gone goes on to its end: run %j', async (more) => {
  const folder = waitingFolder();
  const { child } = startMillrace(folder, ['run', '--log-level', 'debug', ...more]);
  begun(folder);
  child.stdout?.destroy();
  child.stderr?.destroy();
  const exit = once(child, 'exit');
  open(folder);
  expect(await exit).toEqual([1, null]);
  expect(recorded(folder)).toEqual(wholeRun);
});

test('a signal after the terminal was closed still ends the run', async () => {
  const folder = waitingFolder();
  const run = startMillrace(folder, ['run']);
  begun(folder);
  run.child.kill('SIGHUP');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
  expect(query(folder, 'SELECT state, skipped_count AS n FROM consolidated_runs')).toEqual([
    { state: 'interrupted', n: 2 },
  ]);
});
