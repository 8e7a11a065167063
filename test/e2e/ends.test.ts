/** A run that has ended is over, whatever its workstreams have left blocked or running. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MultiAgentWorkstreamCoordinator } from '../../src/index.ts';
import { millrace, parseLines, writeFiles } from '../rig/command.ts';
import { query } from '../rig/rows.ts';
import { temporaryFolder } from '../rig/temporary-folder.ts';

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

function folderWith(name: string): string {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFiles(folder, {
    'tasks/blocks.mjs': MODULE,
    'workstreams/all.json': [
      { id: 'ws-blocked', steps: [{ module: '../tasks/blocks.mjs', export: name }], timeout_seconds: 0.5 },
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

test.each(['readsPipe', 'computes', 'waitsForStranger'])(
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
