import { expect, test } from 'vitest';
import type { Failure } from '../../../src/domain/failure.ts';
import { ToolCircuit } from '../../../src/run/attempt/ledgers.ts';

const missing: Failure = { reason: 'tool-not-found', tool: 'claude', program: 'claude' };
const quota: Failure = { reason: 'tool-quota', tool: 'claude', detail: 'x', tail: '', log: null };
const timedOut: Failure = { reason: 'timed-out', seconds: 1, step: null, tail: '' };

function after(threshold: number, ...failures: (Failure | null)[]): ToolCircuit {
  const circuit = new ToolCircuit(threshold);
  for (const failure of failures) circuit.record('claude', failure);
  return circuit;
}

test('it opens when a tool failed the same way that often in a row, for that tool alone', () => {
  expect(after(3, missing, missing).refusal('claude')).toBeNull();
  const open = after(3, missing, missing, missing);
  expect(open.refusal('claude')).toEqual({
    reason: 'circuit-open',
    tool: 'claude',
    cause: 'tool-not-found',
    count: 3,
  });
  expect(open.refusal('codex')).toBeNull();
});

test('another way of failing, a success and a failure of the work begin anew', () => {
  expect(after(2, missing, quota).refusal('claude')).toBeNull();
  expect(after(2, missing, null, missing).refusal('claude')).toBeNull();
  expect(after(2, missing, timedOut, missing).refusal('claude')).toBeNull();
});

test('once open it stays open, also when what was under way ends well', () => {
  expect(after(2, missing, missing, null).refusal('claude')).not.toBeNull();
});

test('0 never opens it', () => {
  expect(after(0, missing, missing, missing).refusal('claude')).toBeNull();
});
