/** What a person sees: the command in a real pseudo-terminal. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bin, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { openTerminal } from '../kit/terminal.ts';

const shows = (text: string) => (screen: string[]) => screen.some((line) => line.includes(text));

test('progress while it runs, a summary with the failures last when it has ended', async () => {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-bad', steps: [{ run: 'echo why; exit 3' }], priority: 'high' },
      { id: 'ws-waits', title: 'Waits for the test', steps: [{ run: 'cat gate' }] },
    ],
  });
  const terminal = await openTerminal(process.execPath, [bin], { cwd: folder, columns: 90, rows: 20 });
  // What is drawn at once may arrive in parts.
  await terminal.waitFor((screen) =>
    ['ws-waits Waits for the test', '1 of 2', 'ws-bad exit-non-zero'].every((text) => shows(text)(screen)),
  );
  writeFileSync(join(folder, 'gate'), 'go\n');
  expect(await terminal.exit).toBe(1);
  const screen = terminal.screen().filter((line) => line.trim() !== '');
  expect(screen[0]).toBe('2 workstreams: 1 completed, 1 failed');
  expect(screen.at(-2)).toContain('ws-bad exit-non-zero: `echo why; exit 3` ended with exit code 3.');
  expect(screen.at(-1)).toMatch(/log .*ws-bad\.log$/);
});

test('Ctrl-C ends the run and leaves the terminal as it was', async () => {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'gate')]);
  writeFiles(folder, { 'workstreams/all.json': [{ id: 'ws-waits', steps: [{ run: 'cat gate' }] }] });
  const terminal = await openTerminal(process.execPath, [bin], { cwd: folder });
  await terminal.waitFor(shows('ws-waits'));
  terminal.type('\u0003');
  expect(await terminal.exit).toBe(130);
  expect(terminal.raw.toString().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
    terminal.raw.toString().lastIndexOf('\u001b[?25l'),
  );
  expect(query(folder, 'SELECT status, reason FROM agent_results')).toEqual([
    { status: 'skipped', reason: 'interrupted' },
  ]);
});

test('a Ctrl-C that reaches both processes of a run counts once', async () => {
  const folder = temporaryFolder();
  const cleansUp = "trap 'sleep 0.6; echo yes > cleaned-up; exit' TERM; echo $$ > pid; sleep 1000 & wait";
  writeFiles(folder, { 'workstreams/all.json': [{ id: 'ws-waits', steps: [{ run: cleansUp }] }] });
  const args = [bin, 'run', '--grace', '60'];
  const terminal = await openTerminal(process.execPath, args, { cwd: folder });
  await terminal.waitFor(shows('ws-waits'));
  const pid = join(folder, 'pid');
  while (!existsSync(pid)) await new Promise((resolve) => setImmediate(resolve));
  terminal.type('\u0003');
  expect(await terminal.exit).toBe(130);
  expect(readFileSync(join(folder, 'cleaned-up'), 'utf8')).toBe('yes\n');
});

test('a run whose process dies goes on in the same terminal', async () => {
  const folder = temporaryFolder();
  const module = `import { execSync } from 'node:child_process';
export default () => { execSync('kill -SEGV ' + process.pid); return new Promise(() => undefined); };`;
  writeFiles(folder, {
    'tasks/dies.mjs': module,
    'workstreams/all.json': [
      { id: 'ws-bad', steps: [{ module: '../tasks/dies.mjs' }] },
      { id: 'ws-a', steps: [{ run: 'true' }] },
    ],
  });
  const terminal = await openTerminal(process.execPath, [bin], { cwd: folder, columns: 100 });
  expect(await terminal.exit).toBe(1);
  const screen = terminal.screen();
  expect(shows('2 workstreams: 1 completed, 1 failed')(screen)).toBe(true);
  expect(shows('ws-bad process-crashed')(screen)).toBe(true);
  expect(terminal.raw.toString().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
    terminal.raw.toString().lastIndexOf('\u001b[?25l'),
  );
});

test('--ask goes through the workstreams one by one', async () => {
  const folder = temporaryFolder();
  const ids = ['ws-1-run', 'ws-2-skip', 'ws-3-done', 'ws-4-quit', 'ws-5-rest'];
  writeFiles(folder, { 'workstreams/all.json': ids.map((id) => ({ id, steps: [{ run: 'true' }] })) });
  const terminal = await openTerminal(process.execPath, [bin, 'run', '--ask'], { cwd: folder });
  for (const [id, key] of [
    ['ws-1-run', 'r'],
    ['ws-2-skip', 's'],
    ['ws-3-done', 'd'],
    ['ws-4-quit', 'q'],
  ] as const) {
    await terminal.waitFor(shows(`${id}: ${id}`));
    terminal.type(`${key}\r`);
  }
  expect(await terminal.exit).toBe(130);
  expect(
    query(
      folder,
      'SELECT workstream_id AS id, status, reason, agent_id AS agent FROM agent_results ORDER BY id',
    ),
  ).toEqual([
    { id: 'ws-1-run', status: 'completed', reason: null, agent: 'agent-1' },
    { id: 'ws-2-skip', status: 'skipped', reason: 'skipped-by-user', agent: 'coordinator' },
    { id: 'ws-3-done', status: 'completed', reason: null, agent: 'coordinator' },
    { id: 'ws-4-quit', status: 'skipped', reason: 'interrupted', agent: 'coordinator' },
    { id: 'ws-5-rest', status: 'skipped', reason: 'interrupted', agent: 'coordinator' },
  ]);
});
