import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { endGroup, MARK_VARIABLE, markValue, OwnedProcesses } from '../../src/os/owned-processes.ts';
import { groupIsAlive } from '../../src/os/process-group.ts';
import { startedWith, startOf } from '../../src/os/process-table.ts';
import { isLiving } from '../kit/is-living.ts';

afterEach(() => {
  delete process.env[MARK_VARIABLE];
});

/** Starts a shell line in a group of its own and gives the numbers that it prints in its first line. */
async function start(line: string, mark: string): Promise<number[]> {
  const child = spawn('sh', ['-c', line], {
    detached: true,
    env: { ...process.env, [MARK_VARIABLE]: markValue(mark) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  child.stdout.destroy();
  return [child.pid ?? 0, ...text.toString().trim().split(' ').map(Number)];
}

const ended = (pid: number) => ({
  found: [{ pid, command: expect.stringContaining('sleep 100000') }],
  left: [],
});

describe.runIf(process.platform === 'linux')('processes of an execution', () => {
  test('are found by their mark in whatever group they are, and others are left alone', async () => {
    const mine = randomUUID();
    const theirs = randomUUID();
    // The first shell ends, and what it leaves has a session of its own.
    const [, left = 0] = await start('setsid sleep 100000 > /dev/null & echo $!', mine);
    const [other = 0] = await start('echo 1; exec sleep 100000', theirs);
    expect([isLiving(left), isLiving(other)]).toEqual([true, true]);
    expect(await new OwnedProcesses(mine).end(1, 'everywhere')).toEqual(ended(left));
    expect([isLiving(left), isLiving(other)]).toEqual([false, true]);
    expect(await new OwnedProcesses(theirs).end(1, 'everywhere')).toEqual(ended(other));
    expect(isLiving(other)).toBe(false);
  });

  test('are found when they lost their mark but not yet their parent, and not forgotten when they lose it', async () => {
    const mark = randomUUID();
    const line = 'env -i setsid /bin/sh -c \'trap "" TERM; while :; do sleep 100000; done\' & echo $!; wait';
    const [shell = 0, child = 0] = await start(line, mark);
    const owned = new OwnedProcesses(mark);
    owned.signal('SIGTERM');
    await expect.poll(() => isLiving(shell)).toBe(false);
    await owned.end(0.1, 'everywhere');
    expect([isLiving(child), groupIsAlive(child)]).toEqual([false, false]);
  });

  test('are only those of the groups when nothing else is asked for', async () => {
    const mark = randomUUID();
    const [leader = 0] = await start('echo 1; exec sleep 100000', mark);
    const owned = new OwnedProcesses(mark);
    expect(await owned.end(1, 'groups')).toEqual({ found: [], left: [] });
    expect(isLiving(leader)).toBe(true);
    owned.add(leader, startOf(leader));
    expect(await owned.end(1, 'groups')).toEqual(ended(leader));
    expect(isLiving(leader)).toBe(false);
  });

  test('of a run within a workstream carry the marks of both', async () => {
    const outer = randomUUID();
    const inner = randomUUID();
    process.env[MARK_VARIABLE] = outer;
    const [pid = 0] = await start('echo 1; exec sleep 100000', inner);
    expect([outer, inner].map((mark) => startedWith(pid, MARK_VARIABLE, mark))).toEqual([true, true]);
    expect(await new OwnedProcesses(outer).end(1, 'everywhere')).toEqual(ended(pid));
    expect(isLiving(pid)).toBe(false);
  });

  test('are not those that have the number of one that was started', async () => {
    const stranger = spawn('sleep', ['100000'], { detached: true });
    await once(stranger, 'spawn');
    const { pid = 0 } = stranger;
    const owned = new OwnedProcesses(randomUUID());
    owned.add(pid, '1');
    expect(await owned.end(0, 'groups')).toEqual({ found: [], left: [] });
    owned.add(pid, null);
    owned.signal('SIGKILL');
    endGroup(pid, '1');
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    endGroup(pid, startOf(pid));
    expect(await once(stranger, 'exit')).toEqual([null, 'SIGKILL']);
  });

  test('are known by their group when its leader has ended and nothing else tells of them', async () => {
    const line = 'env -i sleep 100000 > /dev/null & echo $!';
    const [leader = 0, left = 0] = await start(`${line}; read x < /dev/zero`, randomUUID());
    const owned = new OwnedProcesses(randomUUID());
    owned.add(leader, null);
    process.kill(leader, 'SIGKILL');
    await expect.poll(() => isLiving(leader)).toBe(false);
    owned.outlived(leader);
    expect(await owned.end(1, 'groups')).toEqual(ended(left));
  });
});
