import { expect, test } from 'vitest';
import { ownIdentity } from '../../../src/os/process-identity.ts';
import { isWriterGone, SILENCE_MS } from '../../../src/store/read/liveness.ts';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const heard = (before: number): string => new Date(NOW - before).toISOString();

const own = ownIdentity();
const row = {
  pid: own.pid,
  pid_started: own.started,
  hostname: own.hostname,
  boot_id: own.bootId ?? null,
  pid_namespace: own.pidNamespace ?? null,
  heartbeat_at: heard(0),
};
const elsewhere = { ...row, hostname: 'another machine' };
const container = { ...row, pid_namespace: 'pid:[1]', pid_started: '1' };
const rebooted = { ...row, boot_id: 'another' };

test.runIf(process.platform === 'linux').each([
  [
    'a process that is there, however long nothing was heard',
    { ...row, heartbeat_at: heard(10 * SILENCE_MS) },
    false,
  ],
  ['a process that is not, however lately it was heard of', { ...row, pid_started: '1' }, true],
  ['another machine that was heard of', { ...elsewhere, heartbeat_at: heard(SILENCE_MS) }, false],
  ['another machine that was not', { ...elsewhere, heartbeat_at: heard(SILENCE_MS + 1) }, true],
  ['another machine that never says so', { ...elsewhere, heartbeat_at: null }, false],
  ['another container that was heard of', { ...container, heartbeat_at: heard(1_000) }, false],
  ['another container that was not', { ...container, heartbeat_at: heard(SILENCE_MS + 1) }, true],
  ['a machine that was started again', { ...rebooted, heartbeat_at: null }, true],
  ['another machine of the same name that was heard of', { ...rebooted, heartbeat_at: heard(1_000) }, false],
  ['a run of which no process is known', { ...row, pid: null }, false],
])('%s', (_, given, gone) => {
  expect(isWriterGone(given, NOW)).toBe(gone);
});
