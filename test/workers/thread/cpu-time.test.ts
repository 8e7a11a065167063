import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cpuTimeSince, recentThreadCpuTime } from '../../../workers/thread/cpu-time.ts';

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test.runIf(existsSync('/proc/thread-self/schedstat'))(
  'the CPU time of executions that follow each other is counted, and none of it twice',
  () => {
    const start = recentThreadCpuTime();
    const used: number[] = [];
    while (used.filter((seconds) => seconds > 0).length < 3) {
      const before = recentThreadCpuTime();
      spin(0.05);
      used.push(cpuTimeSince(before).used ?? Number.NaN);
    }
    // Longer than any reading is used.
    spin(2);
    const together = used.reduce((sum, seconds) => sum + seconds);
    expect(together).toBeLessThanOrEqual((cpuTimeSince(start).used ?? 0) + Number.EPSILON * used.length);
  },
);

test('what is not known before is not known after', () => {
  expect(cpuTimeSince(null)).toEqual({ used: null, waited: null });
});
