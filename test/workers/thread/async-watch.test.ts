import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { AsyncWatch } from '../../../workers/thread/async-watch.ts';

const storage = new AsyncLocalStorage<string>();

const watched = (call: () => unknown): boolean =>
  storage.run('in use', () => {
    const watch = new AsyncWatch();
    watch.start();
    call();
    return watch.stop();
  });

test('what only computes sets nothing in motion', () => {
  expect(watched(() => JSON.stringify([1, 2].map(String)))).toBe(true);
});

test.each<[string, () => unknown]>([
  ['a timer', () => clearTimeout(setTimeout(() => undefined, 0))],
  ['an immediate', () => clearImmediate(setImmediate(() => undefined))],
  ['a microtask', () => queueMicrotask(() => undefined)],
  ['a tick', () => process.nextTick(() => undefined)],
  ['a promise', () => Promise.resolve()],
  ['an async function', async () => undefined],
  ['a rejection that is handled', () => Promise.reject(new Error('x')).catch(() => undefined)],
])('%s is noticed', (_, call) => {
  expect(watched(call)).toBe(false);
});

test('what an earlier call set in motion is not blamed on the next', () => {
  expect(watched(() => Promise.resolve())).toBe(false);
  expect(watched(() => 1)).toBe(true);
});
