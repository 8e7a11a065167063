/** Every command that a recommendation names can be run. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bin, cleanEnvironment, millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** What the last run in a folder recommends. */
function recommendations(folder: string): string[] {
  const sql = 'SELECT recommendations FROM consolidated_runs ORDER BY rowid DESC LIMIT 1';
  const [row] = query<{ recommendations: string }>(folder, sql);
  return JSON.parse(row?.recommendations ?? '[]') as string[];
}

/** The commands that stand in `backticks`. */
const commandsIn = (sentences: readonly string[]): string[] =>
  sentences.flatMap((sentence) =>
    [...sentence.matchAll(/`((?:millrace|git) [^`]+)`/g)].map(([, command]) => command ?? ''),
  );

interface Ended {
  command: string;
  code: number | null;
  stderr: string;
}

/** Runs a command as a person would, with the built program as `millrace`. */
function typed(folder: string, command: string): Promise<Ended> {
  const script = `millrace() { "${process.execPath}" "${bin}" "$@"; }; ${command}`;
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', script], { cwd: folder, env: cleanEnvironment() });
    let stderr = '';
    child.stderr?.on('data', (text: string) => (stderr += text));
    child.once('close', (code) => resolve({ command, code, stderr }));
  });
}

const FAILING = [
  { id: 'ws-shared-a', steps: [{ run: 'echo "error: no such table" >&2; exit 1' }] },
  { id: 'ws-shared-b', steps: [{ run: 'echo "error: no such table" >&2; exit 1' }] },
  { id: 'ws-one', steps: [{ module: './missing.mjs' }] },
  { id: 'ws-after', depends_on: ['ws-one'], steps: [{ run: 'true' }] },
  { id: 'ws-late', timeout_seconds: 0.2, steps: [{ run: 'sleep 60' }] },
  { id: 'ws-checked', acceptance_tests: ['It looks right'], steps: [{ run: 'true' }] },
];

test('after a run in which much failed each command that is named runs, and ends as it may', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': FAILING, 'workstreams/broken.json': '{' });
  await millrace(folder, ['run']);
  const commands = commandsIn(recommendations(folder));
  for (const expected of ['run ws-shared-', 'run ws-one', 'run ws-late', 'errors ma-run-', 'validate'])
    expect(commands.filter((command) => command.startsWith(`millrace ${expected}`))).not.toEqual([]);
  for (const command of new Set(commands)) {
    const { code, stderr } = await typed(folder, command);
    // What is run again fails again; nothing is a mistake in what was typed (2) or finds nothing (4).
    expect([command, code]).toEqual([command, /^millrace (run|validate)/.test(command) ? 1 : 0]);
    expect(stderr).not.toMatch(/Usage|Unknown|Did you mean/i);
  }
});

test('after an interrupted run the command that goes on does so', async () => {
  const folder = temporaryFolder();
  const gate = join(folder, 'gate');
  const wait = `while [ ! -e '${gate}' ]; do sleep 0.05; done`;
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-first', steps: [{ run: wait }] },
      { id: 'ws-second', steps: [{ run: 'true' }] },
    ],
  });
  const run = startMillrace(folder, ['run', '-j', '1']);
  await run.line((each) => each.includes('ws-first'));
  run.child.kill('SIGINT');
  expect((await run.finished).code).toBe(130);
  writeFiles(folder, { gate: '' });
  const commands = commandsIn(recommendations(folder));
  expect(commands).toEqual([expect.stringMatching(/^millrace run --resume ma-run-/)]);
  expect(await typed(folder, commands[0] ?? '')).toMatchObject({ code: 0 });
});

test('after a run in which everything completed its results are shown', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': [{ id: 'ws-a', steps: [{ run: 'true' }] }] });
  await millrace(folder, ['run']);
  const commands = commandsIn(recommendations(folder));
  expect(commands).toEqual([expect.stringMatching(/^millrace show ma-run-/)]);
  expect(await typed(folder, commands[0] ?? '')).toMatchObject({ code: 0 });
});
