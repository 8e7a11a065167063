import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Cancellation } from '../../src/domain/agent-message.ts';
import { failedOutcome, type Outcome } from '../../src/domain/outcome.ts';
import { ActiveExecution, type ExecutionFields } from '../../src/engine/active-execution.ts';
import { UNREADABLE } from '../../src/engine/batch.ts';
import { measured } from '../../src/os/stopwatch.ts';
import { assignment, runStep, workstream } from '../kit/definitions.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A step may print a megabyte, and so may its set-up and its modules. */
const LIMITS = { timeoutSeconds: 3_600, graceSeconds: 1, maxOutputMb: 1 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const given = assignment(temporaryFolder(), workstream('ws-a', [runStep('yes')]), { limits: LIMITS });
  const sent: Cancellation[] = [];
  const { signal } = new AbortController();
  const begin = (fields: ExecutionFields = {}): ActiveExecution =>
    new ActiveExecution(
      given,
      { signal, onMessage: () => undefined },
      (message) => sent.push(message),
      fields,
    );
  const completed = ({ begin }: ActiveExecution): Outcome => ({
    ...failedOutcome(UNREADABLE, measured(begin), null),
    status: 'completed',
    failure: null,
  });
  return { begin, sent, completed, log: given.logFile };
}

describe('the log of an execution, watched from the main thread', () => {
  test('is the reason to stop it once more was added than may be', () => {
    const { begin, sent, log } = start();
    const execution = begin();
    writeFileSync(log, Buffer.alloc(3e6));
    vi.advanceTimersByTime(500);
    expect(sent).toEqual([]);
    appendFileSync(log, 'x');
    vi.advanceTimersByTime(500);
    expect(sent).toMatchObject([{ type: 'cancel', because: 'output-limit' }]);
    execution.close();
  });

  test('is measured from what an earlier session left in it', () => {
    const { begin, sent, log } = start();
    writeFileSync(log, Buffer.alloc(4e6));
    // A file that is older than the execution, whatever the resolution of the file system's clock.
    const isNew = (): boolean => Date.now() - statSync(log).birthtimeMs < 100;
    while (isNew());
    const execution = begin();
    vi.advanceTimersByTime(500);
    appendFileSync(log, Buffer.alloc(3e6));
    vi.advanceTimersByTime(500);
    expect(sent).toEqual([]);
    appendFileSync(log, 'x');
    vi.advanceTimersByTime(500);
    expect(sent).toMatchObject([{ because: 'output-limit' }]);
    execution.close();
  });

  test('names no command where the agent does not answer any more', () => {
    const { begin, log } = start();
    const execution = begin();
    writeFileSync(log, Buffer.alloc(4e6));
    vi.advanceTimersByTime(10_000);
    expect(execution.verdict).toMatchObject({ reason: 'output-limit', limitMb: 1, command: null, log });
    execution.close();
  });
});

describe('a limit that passes before the agent has begun', () => {
  const passed = LIMITS.timeoutSeconds * 1000;

  test('is not told to it: its time counts from there on', () => {
    const { begin, sent, completed } = start();
    const execution = begin();
    vi.advanceTimersByTime(passed + 600);
    expect(sent).toEqual([]);
    execution.receive({ type: 'started', executionId: execution.assignment.executionId });
    vi.advanceTimersByTime(passed - 1);
    expect(sent).toEqual([]);
    expect(execution.judge(completed(execution))).toMatchObject({ status: 'completed', failure: null });
    vi.advanceTimersByTime(1);
    expect(sent).toMatchObject([{ because: 'timed-out' }]);
    execution.close();
  });

  test('ends it where it does not begin within the grace either', () => {
    const { begin, sent } = start();
    const execution = begin();
    vi.advanceTimersByTime(passed + 2_000);
    expect(execution.verdict).toMatchObject({ reason: 'timed-out', seconds: LIMITS.timeoutSeconds });
    expect(execution.terminate.signal.aborted).toBe(true);
    expect(sent).toEqual([]);
    execution.close();
  });

  test('is told to one that has begun', () => {
    const { begin, sent } = start();
    const execution = begin({ hasBegun: () => true });
    vi.advanceTimersByTime(passed);
    expect(sent).toMatchObject([{ because: 'timed-out' }]);
    execution.close();
  });
});
