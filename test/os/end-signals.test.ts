import { expect, onTestFinished, test } from 'vitest';
import {
  endsRuns,
  exitCodeOf,
  listenForSignals,
  NO_SIGNAL,
  onSignal,
  type SignalState,
} from '../../src/os/end-signals.ts';

const asked: SignalState = { last: { signal: 'SIGINT', at: 1_000 }, hasHungUp: false };
const hungUp: SignalState = { last: null, hasHungUp: true };
const both: SignalState = { ...asked, hasHungUp: true };

/** Each state with what may arrive in it. */
test.each([
  ['nothing has arrived', NO_SIGNAL, 'SIGINT', 1_000, 'ask', asked],
  ['nothing has arrived', NO_SIGNAL, 'SIGHUP', 1_000, 'hang-up', hungUp],
  ['SIGINT asked', asked, 'SIGINT', 1_250, 'echo', asked],
  ['SIGINT asked', asked, 'SIGINT', 1_251, 'insist', { ...asked, last: { signal: 'SIGINT', at: 1_251 } }],
  ['SIGINT asked', asked, 'SIGTERM', 1_001, 'insist', { ...asked, last: { signal: 'SIGTERM', at: 1_001 } }],
  ['SIGINT asked', asked, 'SIGHUP', 1_001, 'hang-up', both],
  ['the terminal was closed', hungUp, 'SIGHUP', 9_000, 'echo', hungUp],
  ['the terminal was closed', hungUp, 'SIGINT', 1_000, 'ask', both],
  ['both', both, 'SIGHUP', 9_000, 'echo', both],
  ['both', both, 'SIGINT', 1_250, 'echo', both],
  ['both', both, 'SIGTERM', 1_250, 'insist', { ...both, last: { signal: 'SIGTERM', at: 1_250 } }],
] as const)('when %s (%j), %s at %i means %s', (_, before, signal, at, meaning, after) => {
  expect(onSignal(before, signal, at)).toEqual({ state: after, meaning });
});

/** Listens with a clock that the test turns. */
function listening() {
  const heard: string[] = [];
  const clock = { now: 0 };
  const handlers = {
    ask: (signal: string) => heard.push(`${signal} asks`),
    insist: (signal: string) => heard.push(`${signal} insists`),
    hangUp: () => heard.push('hung up'),
  };
  onTestFinished(listenForSignals(handlers, () => clock.now));
  return { heard, clock };
}

test('a Ctrl-C that arrives twice at once is one, and each later one insists', () => {
  const { heard, clock } = listening();
  for (const at of [0, 5, 1_000, 1_005, 2_000]) {
    clock.now = at;
    process.emit('SIGINT', 'SIGINT');
  }
  expect(heard).toEqual(['SIGINT asks', 'SIGINT insists', 'SIGINT insists']);
});

test('another signal insists at once', () => {
  const { heard } = listening();
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGTERM', 'SIGTERM');
  expect(heard).toEqual(['SIGINT asks', 'SIGTERM insists']);
});

test('a terminal that is closed asks for no end, however often it says so', () => {
  const { heard } = listening();
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGINT', 'SIGINT');
  expect(heard).toEqual(['hung up', 'SIGINT asks']);
});

test('after it was told to stop, nothing is heard', () => {
  const heard: string[] = [];
  const handlers = { ask: () => heard.push('asks'), insist: () => 0, hangUp: () => heard.push('hung up') };
  listenForSignals(handlers)();
  process.emit('SIGHUP', 'SIGHUP');
  expect(heard).toEqual([]);
});

test.each([
  ['SIGINT', 130, true],
  ['SIGTERM', 143, true],
  ['SIGHUP', 129, true],
  ['SIGSEGV', 130, false],
  ['quit', 130, false],
  ['toString', 130, false],
])('%s is exit code %i', (by, code, isEnd) => {
  expect(exitCodeOf(by)).toBe(code);
  expect(endsRuns(by)).toBe(isEnd);
});
