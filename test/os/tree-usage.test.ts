import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { machineUsage } from '../../src/os/machine.ts';
import { treeUsage } from '../../src/os/tree-usage.ts';
import { usableCores } from '../../src/os/usable-cores.ts';

test('what this process used only grows', () => {
  const before = treeUsage();
  const end = performance.now() + 50;
  while (performance.now() < end);
  const after = treeUsage();
  expect(after.cpuSeconds).toBeGreaterThan(before.cpuSeconds);
  expect(after.memory).toBeGreaterThan(1e7);
});

test('this process may use some cores, and no more than a quota', () => {
  expect(usableCores(null)).toBeGreaterThanOrEqual(1);
  expect(usableCores(0.5)).toBe(0.5);
  expect(usableCores(1e6)).toBe(usableCores(null));
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test('child processes, and theirs, count with their time and memory', async () => {
    const alone = treeUsage();
    const hog = 'const a = Buffer.alloc(6e7, 1); console.log(a.length); setInterval(() => {}, 1e6)';
    const child = spawn('sh', ['-c', `"$0" -e '${hog}'; true`, process.execPath], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    onTestFinished(() => void (child.pid === undefined || process.kill(-child.pid, 'SIGKILL')));
    await once(child.stdout, 'data');
    const together = treeUsage();
    expect(together.processes).toBe(alone.processes + 2);
    expect(together.memory - alone.memory).toBeGreaterThan(6e7);
    expect(together.cpuSeconds).toBeGreaterThan(alone.cpuSeconds);
  });

  test('how long each thread waited for a processor is known where the kernel says so', async () => {
    const worker = new Worker('setInterval(() => {}, 1e6)', { eval: true });
    await once(worker, 'online');
    const { waitedSeconds } = treeUsage();
    expect(waitedSeconds !== null).toBe(existsSync('/proc/self/schedstat'));
    if (waitedSeconds !== null) {
      expect(waitedSeconds.size).toBeGreaterThan(1);
      for (const seconds of waitedSeconds.values()) expect(seconds).toBeGreaterThanOrEqual(0);
    }
    await worker.terminate();
  });

  test('the machine has memory left, and its processors were busy', async () => {
    const { busySeconds, memory } = machineUsage();
    expect(busySeconds).toBeGreaterThan(0);
    expect(memory?.available).toBeLessThanOrEqual(memory?.limit ?? 0);
    // Counted in ticks.
    await vi.waitFor(() => expect(machineUsage().busySeconds).toBeGreaterThan(busySeconds), {
      timeout: 30_000,
    });
  });
});
