import { describe, expect, test } from 'vitest';
import type { AttemptRecord } from '../../../src/domain/attempt.ts';
import type { CircuitBreaker } from '../../../src/domain/workstream.ts';
import { decideRetry } from '../../../src/run/attempt/retry.ts';

const breaker = (changes: Partial<CircuitBreaker> = {}): CircuitBreaker => ({
  maxAttempts: 10,
  maxErrorRepeats: null,
  oscillationThreshold: null,
  cooldownSeconds: 7,
  ...changes,
});

const attempt = (changes: Partial<AttemptRecord> = {}): AttemptRecord => ({
  attempt: 1,
  agentId: 'agent-1',
  tool: null,
  model: null,
  reason: 'exit-non-zero',
  explanation: 'It failed.',
  failure: null,
  pattern: 'It failed.',
  startTime: '',
  durationSeconds: 1,
  costUsd: null,
  inputTokens: null,
  outputTokens: null,
  contentHash: null,
  logFile: null,
  ...changes,
});

const errors = (...patterns: string[]) => patterns.map((pattern) => attempt({ pattern }));
const contents = (...hashes: (string | null)[]) => hashes.map((contentHash) => attempt({ contentHash }));

test('a failure is tried again after the pause until the attempts are used up', () => {
  expect(decideRetry(breaker(), [attempt()], null)).toEqual({ again: true, afterSeconds: 7 });
  expect(decideRetry(breaker({ maxAttempts: 1 }), [attempt()], null)).toEqual({ again: false, gaveUp: null });
  const twice = [attempt(), attempt()];
  expect(decideRetry(breaker({ maxAttempts: 2 }), twice, null)).toEqual({ again: false, gaveUp: null });
});

test.each(['tool-not-found', 'command-not-found', 'merge-conflict', 'tool-not-logged-in'])(
  '%s is not tried again: nothing would be different',
  (reason) => {
    expect(decideRetry(breaker(), [attempt({ reason })], null)).toEqual({
      again: false,
      gaveUp: `Another attempt would meet the same ${reason}.`,
    });
  },
);

describe('max_error_repeats', () => {
  const decide = (...patterns: string[]) =>
    decideRetry(breaker({ maxErrorRepeats: 3 }), errors(...patterns), null);

  test('ends it when the same error came that often in a row', () => {
    expect(decide('a', 'a')).toMatchObject({ again: true });
    expect(decide('b', 'a', 'a', 'a')).toEqual({
      again: false,
      gaveUp: 'The same error came 3 times in a row (max_error_repeats).',
    });
  });

  test('begins anew with another error', () => {
    expect(decide('a', 'a', 'b', 'a', 'a')).toMatchObject({ again: true });
  });
});

describe('oscillation_threshold', () => {
  const decide = (...hashes: (string | null)[]) =>
    decideRetry(breaker({ oscillationThreshold: 2 }), contents(...hashes), null);

  test('ends it when the same content came back that often', () => {
    expect(decide('a', 'b', 'a', 'b')).toMatchObject({ again: true });
    expect(decide('a', 'b', 'a', 'b', 'a')).toEqual({
      again: false,
      gaveUp: 'The same content came back twice (oscillation_threshold).',
    });
  });

  test('does not count attempts that changed nothing', () => {
    expect(decide(null, null, null, null)).toMatchObject({ again: true });
  });
});

test('what its attempts are known to have cost ends it', () => {
  const attempts = [attempt({ costUsd: 0.5 }), attempt(), attempt({ costUsd: 0.75 })];
  expect(decideRetry(breaker(), attempts, 1.5)).toMatchObject({ again: true });
  expect(decideRetry(breaker(), attempts, 1.25)).toEqual({
    again: false,
    gaveUp: 'Its attempts cost $1.25 of the $1.25 they may (max_cost_usd).',
  });
});
