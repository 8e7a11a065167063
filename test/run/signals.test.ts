import { expect, onTestFinished, test } from 'vitest';
import { exitCodeOf, listenForSignals } from '../../src/run/signals.ts';

/** Listens with a clock that the test turns. */
function listening() {
  const heard: string[] = [];
  const clock = { now: 0 };
  const handlers = {
    first: (signal: string) => heard.push(signal),
    second: () => heard.push('second'),
    hungUp: () => heard.push('hung up'),
  };
  onTestFinished(listenForSignals(handlers, () => clock.now));
  return { heard, clock };
}

test('a Ctrl-C that arrives twice at once is one, and insists when it comes again', () => {
  const { heard, clock } = listening();
  process.emit('SIGINT', 'SIGINT');
  clock.now = 5;
  process.emit('SIGINT', 'SIGINT');
  expect(heard).toEqual(['SIGINT']);
  clock.now = 1_000;
  process.emit('SIGINT', 'SIGINT');
  expect(heard).toEqual(['SIGINT', 'second']);
});

test('another signal insists at once', () => {
  const { heard } = listening();
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGTERM', 'SIGTERM');
  expect(heard).toEqual(['SIGINT', 'second']);
});

test('a terminal that is closed asks for no end, however often it says so', () => {
  const { heard } = listening();
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGINT', 'SIGINT');
  expect(heard).toEqual(['hung up', 'SIGINT']);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['quit', 130],
])('%s is exit code %i', (by, code) => {
  expect(exitCodeOf(by)).toBe(code);
});
