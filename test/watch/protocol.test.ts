import { expect, test } from 'vitest';
import { readContinuation, readFromRun } from '../../src/watch/protocol.ts';

test.each([
  { type: 'run', runId: 'ma-run-20260102-030405', results: 2, running: 0 },
  { type: 'interrupting', signal: 'SIGINT' },
  { type: 'ended', exitCode: 1 },
])('$type is read', (message) => {
  expect(readFromRun(message)).toEqual(message);
});

test.each([
  null,
  'ended',
  {},
  { type: 'ended' },
  { type: 'ended', exitCode: '1' },
  { type: 'run', runId: 1, results: 2, running: 0 },
  { type: 'run', runId: 'x' },
  { type: 'interrupting' },
  { type: 'else' },
])('%j is not', (message) => {
  expect(readFromRun(message)).toBeNull();
});

test('what a run goes on from comes whole or not at all', () => {
  const whole = { runId: 'x', deaths: 1, death: { exitCode: null, signal: 'SIGABRT' } };
  expect(readContinuation(JSON.stringify(whole))).toEqual(whole);
  const broken = [{}, null, { ...whole, death: null }, { ...whole, deaths: '1' }, { ...whole, death: {} }];
  for (const value of broken) expect(readContinuation(JSON.stringify(value))).toBeNull();
  expect(readContinuation(undefined)).toBeNull();
});
