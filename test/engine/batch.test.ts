import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { BatchMemory, STATE } from '../../src/domain/batch/batch-memory.ts';
import { Bell } from '../../src/domain/batch/bell.ts';
import { Batch } from '../../src/engine/batch.ts';
import { assignment, moduleStep, workstream } from '../kit/definitions.ts';
import { NO_SECRETS } from '../kit/no-secrets.ts';

const SECONDS = 10;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A batch of one, with its memory as its thread sees it. */
function start(signal = new AbortController().signal) {
  const limits = { timeoutSeconds: SECONDS, graceSeconds: 5, maxOutputMb: 1 };
  const given = assignment('/nowhere', workstream('ws-a', [moduleStep('/nowhere.mjs')]), { limits });
  const options = { signal, onMessage: () => undefined, onOutcomes: () => undefined };
  const batch = new Batch({ assignments: [given], options, mayReturn: false, keepsFirst: true }, [], {
    redactor: NO_SECRETS,
    bell: new Bell(),
  });
  batch.start();
  const memory = new BatchMemory(batch.message.memory);
  onTestFinished(() => {
    for (const [, execution] of batch.unanswered) execution.close();
  });
  return { memory, begin: () => memory.changeState(0, STATE.open, STATE.begun) };
}

test('a limit that passes before its thread has begun is not what that finds when it begins', () => {
  const { memory, begin } = start();
  vi.advanceTimersByTime(SECONDS * 1000);
  begin();
  expect(memory.cancellationOf(0)).toBeNull();
});

test('a limit that passes once its thread has begun is told to it', () => {
  const { memory, begin } = start();
  begin();
  vi.advanceTimersByTime(SECONDS * 1000);
  expect(memory.cancellationOf(0)).toBe('timed-out');
});

test('what is stopped before its thread has begun is stopped when that begins', () => {
  const { memory } = start(AbortSignal.abort('cancelled'));
  expect(memory.cancellationOf(0)).toBe('cancelled');
});
