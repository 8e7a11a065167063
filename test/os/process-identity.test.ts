import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { isGone, livenessOf, ownIdentity } from '../../src/os/process-identity.ts';

test('this process is not gone, and one that started at another time with its number is', () => {
  expect(isGone(ownIdentity())).toBe(false);
  expect(isGone({ ...ownIdentity(), started: '1' })).toBe(true);
  expect(isGone({ ...ownIdentity(), started: '1', hostname: 'another machine' })).toBe(false);
});

const own = ownIdentity();

test.runIf(process.platform === 'linux').each([
  ['this process', {}, 'alive', false],
  ['a number that is taken by a later process', { started: '1' }, 'gone', true],
  ['another machine', { hostname: 'another machine', started: '1' }, 'elsewhere', false],
  [
    'another container with the same host name',
    { pidNamespace: 'pid:[1]', started: '1' },
    'elsewhere',
    false,
  ],
  ['this machine before it was started again', { bootId: 'another', pid: 1 }, 'rebooted', true],
  ['one of which neither is known', { bootId: null, pidNamespace: null }, 'alive', false],
  [
    'one of which neither is known, and which has gone',
    { bootId: null, pidNamespace: null, started: '1' },
    'gone',
    true,
  ],
] as const)('%s', (_, fields, sight, gone) => {
  const identity = { ...own, ...fields };
  expect([livenessOf(identity), isGone(identity)]).toEqual([sight, gone]);
});

test.runIf(process.platform === 'linux')(
  'a process that has ended and that nobody waits for is gone',
  async () => {
    // The shell becomes a program that never waits for the child it has; the child ends once that is so.
    const child = 'until grep -q sleep /proc/$PPID/comm; do :; done';
    const parent = spawn('sh', ['-c', `sh -c '${child}' & echo $!; exec sleep 1000`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [chunk] = await once(parent.stdout, 'data');
    const pid = Number(String(chunk));
    const state = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
    while (state() !== 'Z') await new Promise(setImmediate);
    expect(isGone({ ...ownIdentity(), pid, started: null })).toBe(true);
  },
);
