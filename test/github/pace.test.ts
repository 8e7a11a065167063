import { expect, test } from 'vitest';
import { Pace, PUBLIC_LIMITS } from '../../src/github/pace.ts';

test('a thousand issues are created within the limits of every minute and every hour', async () => {
  let now = 0;
  const waits: number[] = [];
  const pace = new Pace({
    limits: PUBLIC_LIMITS,
    now: () => now,
    wait: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
    onWait: (milliseconds) => waits.push(milliseconds),
  });
  const times: number[] = [];
  for (let number = 0; number < 1_000; number += 1) {
    await pace.turn();
    times.push(now);
    // As long as a request takes.
    now += 200;
  }
  for (const { window, most } of PUBLIC_LIMITS) {
    const counts = times.map((from) => times.filter((time) => time >= from && time < from + window).length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(most);
  }
  expect(now).toBeLessThan(2 * 3_600_000);
  expect(waits.some((wait) => wait > 600_000)).toBe(true);
});
