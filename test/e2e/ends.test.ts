/** A run that has ended is over, whatever its workstreams have left blocked or running. */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { MultiAgentWorkstreamCoordinator } from '../../src/index.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';
import { millrace, parseLines, startMillrace, writeFiles } from '../kit/command.ts';
import { isLiving } from '../kit/is-living.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** None of them comes back from where it is. */
const MODULE = `
import { execFileSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
export const readsPipe = (_input, { workspace }) => { readFileSync(workspace + '/pipe'); };
export const computes = () => { pbkdf2Sync('a', 'b', 2 ** 31 - 1, 64, 'sha512'); };
export const waitsForStranger = () => {
  execFileSync('env', ['-i', 'setsid', 'sh', '-c', 'trap "" TERM; echo $$ > pid; exec sleep 1000']);
};`;

function folderWith(name: string, timeout = 0.5): string {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFiles(folder, {
    'tasks/blocks.mjs': MODULE,
    'workstreams/all.json': [
      {
        id: 'ws-blocked',
        steps: [{ module: '../tasks/blocks.mjs', export: name }],
        timeout_seconds: timeout,
      },
      { id: 'ws-next', steps: [{ run: 'true' }] },
    ],
  });
  return folder;
}

/** Brings back a thread that is blocked in opening the pipe. To open it for both never waits. */
const release = (folder: string): void => closeSync(openSync(join(folder, 'pipe'), 'r+'));

const rows = (folder: string) =>
  query(folder, 'SELECT workstream_id AS id, status, reason FROM agent_results ORDER BY workstream_id');

const EXPECTED = [
  { id: 'ws-blocked', status: 'failed', reason: 'timed-out' },
  { id: 'ws-next', status: 'completed', reason: null },
];

test.each(['readsPipe', 'computes'])(
  '%s: the process of a run ends with it although a thread is blocked, and the one agent went on',
  async (name) => {
    const folder = folderWith(name);
    const { code, stdout } = await millrace(folder, ['run', '-j', '1', '--grace', '0.2']);
    expect(code).toBe(1);
    expect(parseLines(stdout).at(-1)).toMatchObject({ event: 'run-ended', exit_code: 1 });
    expect(rows(folder)).toEqual(EXPECTED);
    // Nothing tells whose the stranger is, so that the run can't end it.
    if (name === 'waitsForStranger')
      process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
  },
);

test.runIf(hasProcessTable)(
  'a thread that waits for what nothing proves to be its own is left, and that is named',
  async () => {
    const folder = folderWith('waitsForStranger', 600);
    const run = startMillrace(folder, ['run', '-j', '1', '--grace', '0.2']);
    const file = join(folder, 'pid');
    await vi.waitUntil(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), 60_000);
    const pid = Number(readFileSync(file, 'utf8'));
    expect((await millrace(folder, ['stop', 'ws-blocked'])).code).toBe(0);
    expect((await run.finished).code).toBe(1);
    const [blocked, next] = EXPECTED;
    expect(rows(folder)).toEqual([{ ...blocked, reason: 'cancelled' }, next]);
    const [row] = query(folder, "SELECT warnings FROM agent_results WHERE workstream_id = 'ws-blocked'");
    expect(row?.['warnings']).toContain(`may have left running what nothing proves to be its own`);
    expect(row?.['warnings']).toContain(`${pid} (`);
    process.kill(pid, 'SIGKILL');
  },
);

test('with --json the whole document is there before the process is ended', async () => {
  const folder = folderWith('readsPipe');
  const { code, stdout } = await millrace(folder, ['run', '-j', '1', '--json', '--grace', '0.2']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    workstreams: [{ workstreamId: 'ws-blocked' }, { workstreamId: 'ws-next' }],
  });
});

test('with the library the run resolves, its limits kept, and the thread stays behind', async () => {
  const folder = folderWith('readsPipe');
  const coordinator = new MultiAgentWorkstreamCoordinator({ cwd: folder, agentsCount: 1, graceSeconds: 0.2 });
  expect(await coordinator.run()).toBe(1);
  expect(rows(folder)).toEqual(EXPECTED);
  release(folder);
});

test('with the library an interrupted run resolves at once when it is abandoned', async () => {
  const folder = folderWith('readsPipe');
  const coordinator = new MultiAgentWorkstreamCoordinator({
    cwd: folder,
    agentsCount: 1,
    timeoutSeconds: 600,
  });
  writeFiles(folder, {
    'workstreams/all.json': {
      id: 'ws-blocked',
      steps: [{ module: '../tasks/blocks.mjs', export: 'readsPipe' }],
    },
  });
  coordinator.subscribe(({ type }) => {
    if (type !== 'workstream-started') return;
    coordinator.interrupt('SIGTERM');
    void coordinator.abandon();
  });
  expect(await coordinator.run()).toBe(143);
  expect(rows(folder)).toEqual([{ id: 'ws-blocked', status: 'skipped', reason: 'interrupted' }]);
  release(folder);
});

test('what workstreams read as standard input is at its end, whatever the run was given', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'tasks/reads.mjs': `
import { readFileSync } from 'node:fs';
export default async () => {
  let text = readFileSync(0, 'utf8') + readFileSync('/dev/stdin', 'utf8');
  for await (const chunk of process.stdin) text += chunk;
  return { output: text };
};`,
    'workstreams/all.json': [
      { id: 'ws-process', isolation: 'process', steps: [{ module: '../tasks/reads.mjs' }] },
      { id: 'ws-shell', steps: [{ run: 'test -z "$(cat)"' }], acceptance_tests: ['test -z "$(cat)"'] },
      { id: 'ws-thread', steps: [{ module: '../tasks/reads.mjs' }] },
    ],
  });
  const { child, finished } = startMillrace(folder, ['run'], {}, 'pipe');
  child.stdin?.write('for the run');
  expect((await finished).code).toBe(0);
  child.stdin?.destroy();
  expect(
    query(
      folder,
      "SELECT metadata ->> '$.output' AS text FROM agent_results WHERE workstream_id <> 'ws-shell'",
    ),
  ).toEqual([{ text: '' }, { text: '' }]);
});

test.runIf(hasProcessTable)(
  'what is started when its workstream has ended is ended with the run, and named',
  async () => {
    const folder = temporaryFolder();
    writeFiles(folder, {
      'tasks/late.mjs': `
import { execSync, spawn } from 'node:child_process';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
const started = () => spawn('sleep', ['1000'], { stdio: 'ignore' }).pid;
const left = () => String(execSync('setsid sleep 1000 > /dev/null 2>&1 & echo $!')).trim();
export const leaves = () => {
  setTimeout(() => {
    writeFileSync('late.part', [started(), left()].join(' '));
    renameSync('late.part', 'late');
  }, 50).unref();
};
export const waits = async () => {
  while (!existsSync('late')) await new Promise((resolve) => setTimeout(resolve, 10));
};`,
      'workstreams/all.json': [
        { id: 'ws-leaves', steps: [{ module: '../tasks/late.mjs', export: 'leaves' }] },
        {
          id: 'ws-waits',
          steps: [{ module: '../tasks/late.mjs', export: 'waits' }],
          depends_on: ['ws-leaves'],
        },
      ],
    });
    const { stdout } = await millrace(folder, ['run', '-j', '1']);
    const [started, left] = readFileSync(join(folder, 'late'), 'utf8').split(' ').map(Number);
    expect([started, left].map((pid) => isLiving(pid ?? 0))).toEqual([false, false]);
    const warnings = query(folder, 'SELECT warnings FROM agent_results').map((row) => row['warnings']);
    const told = [stdout, ...warnings].join('\n');
    for (const pid of [started, left]) expect(told).toContain(`${pid} (`);
  },
);
