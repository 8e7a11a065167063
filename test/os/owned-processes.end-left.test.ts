import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { endRemainingProcesses, MARK_VARIABLE, runMark } from '../../src/os/owned-processes.ts';
import { ownIdentity } from '../../src/os/process-identity.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';

const RUN = 'ma-run-20260102-030405';
/** No process has this id on Linux. */
const dead = { pid: 2 ** 22 + 1, started: '77', hostname: hostname() };

test.runIf(hasProcessTable)('only what that process started for that run is ended', async () => {
  const others = [
    runMark(RUN, { ...dead, started: '78' }),
    runMark(RUN, { ...dead, pid: 1 }),
    runMark(`${RUN}-2`, dead),
  ];
  const start = (mark: string) =>
    spawn('sleep', ['600'], { detached: true, env: { ...process.env, [MARK_VARIABLE]: `${mark}x` } });
  const [left, ...spared] = [runMark(RUN, dead), ...others].map(start);
  if (left === undefined) throw new Error('nothing was started');
  await Promise.all([left, ...spared].map((child) => once(child, 'spawn')));
  const exited = once(left, 'exit');
  expect(await endRemainingProcesses(RUN, dead, 1)).toEqual({
    kind: 'ended',
    found: [{ pid: left.pid, command: 'sleep 600' }],
    left: [],
  });
  expect(await exited).toEqual([null, 'SIGTERM']);
  expect(spared.map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([null, null, null]);
  expect(await endRemainingProcesses(RUN, dead, 1)).toEqual({ kind: 'none' });
  for (const child of spared) child.kill('SIGKILL');
});

test('nothing is looked for as long as the process is alive', async () => {
  expect(await endRemainingProcesses(RUN, ownIdentity(), 1)).toEqual({ kind: 'none' });
});
