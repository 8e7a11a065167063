import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCheckpoint } from '../../../../workstreams/tasks/lib/checkpoint.ts';
import { makeContext } from '../../make-context.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('shows progress five times a second, however often it is called', async () => {
  const shown: [number | null, string | undefined][] = [];
  const checkpoint = createCheckpoint(makeContext({ progress: (...each) => shown.push([each[0], each[1]]) }));
  for (let i = 1; i <= 100; i += 1) {
    vi.advanceTimersByTime(10);
    await checkpoint(i / 100, `item ${i}`);
  }
  expect(shown).toEqual([20, 40, 60, 80, 100].map((i) => [i / 100, `item ${i}`]));
});

test('ends a loop in an event that arrives while it computes', async () => {
  const controller = new AbortController();
  const reason = new Error('the time is up');
  const checkpoint = createCheckpoint(makeContext({ signal: controller.signal }));
  setImmediate(() => controller.abort(reason));
  const loop = async (): Promise<void> => {
    for (;;) {
      vi.advanceTimersByTime(1);
      await checkpoint(null, 'for ever');
    }
  };
  await expect(loop()).rejects.toBe(reason);
});
