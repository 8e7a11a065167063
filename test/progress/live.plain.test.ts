import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startPlain } from '../../src/progress/live.ts';
import { completed, failed, runStarted, START, started } from '../kit/events.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('NO_COLOR', '1');
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('TERM', 'dumb');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test('failures as they come, and every ten seconds how far the run is, if that has changed', () => {
  const lines: string[] = [];
  const stream = { columns: 60, write: (line: string) => lines.push(line) };
  const view = startPlain({ stream, now: () => START + 72_000 });
  vi.advanceTimersByTime(10_000);
  expect(lines).toEqual([]);

  view.take([runStarted(4, 2)]);
  view.take([started('ws-1', 1, 0)]);
  view.take([started('ws-2', 1, 0)]);
  view.take([completed('ws-1', 1, 1)]);
  view.take([failed('ws-2', 1, 'exit code 1')]);
  expect(lines.splice(0)).toEqual(['x ws-2 exit-non-zero exit code 1\n']);
  vi.advanceTimersByTime(9_999);
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(30_000);
  expect(lines.splice(0)).toEqual(['#####..... 50 %, 2 of 4, 1 failed, 1m 12s, about 1m 12s left\n']);

  view.pause();
  view.take([completed('ws-3', 1, 1)]);
  vi.advanceTimersByTime(30_000);
  expect(lines).toEqual([]);
  view.resume();
  vi.advanceTimersByTime(10_000);
  expect(lines).toHaveLength(1);

  view.take([completed('ws-4', 1, 1)]);
  view.stop();
  vi.advanceTimersByTime(30_000);
  expect(lines).toHaveLength(1);
});
