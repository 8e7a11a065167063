import { expect, test } from 'vitest';
import { orAbort, StopSignal } from '../../../workers/thread/stop-signal.ts';

const first = new Error('first');

test.each(['before', 'after'])(
  'an AbortSignal asked for %s the abort is aborted for the first reason',
  (when) => {
    const signal = new StopSignal();
    const early = when === 'before' ? signal.abortSignal : null;
    expect(early?.aborted).not.toBe(true);
    signal.abort(first);
    signal.abort(new Error('second'));
    expect(signal.abortSignal.reason).toBe(first);
    expect(early ?? signal.abortSignal).toBe(signal.abortSignal);
    expect(() => signal.throwIfAborted()).toThrow(first);
  },
);

test('a listener is told once, at once where it was aborted before, and never when it was taken away', () => {
  const signal = new StopSignal();
  const told: string[] = [];
  signal.onAbort(() => void told.push('kept'));
  signal.onAbort(() => void told.push('taken away'))();
  signal.abort(first);
  signal.abort(first);
  signal.onAbort(() => void told.push('late'));
  expect(told).toEqual(['kept', 'late']);
});

test('what is waited for settles as the promise does, or rejects when it is aborted', async () => {
  const signal = new StopSignal();
  await expect(orAbort(Promise.resolve(1), signal)).resolves.toBe(1);
  await expect(orAbort(Promise.reject(new Error('own')), signal)).rejects.toThrow('own');
  const never = orAbort(new Promise(() => undefined), signal);
  signal.abort(first);
  await expect(never).rejects.toBe(first);
  await expect(orAbort(Promise.resolve(1), signal)).rejects.toBe(first);
});
