import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { applyEvent, createBoard } from '../../src/progress/board.ts';
import { timeLeft } from '../../src/progress/frame.ts';
import { completed, failed, progress, runEnded, runStarted, START, skipped, started } from '../kit/events.ts';

/** The estimate `seconds` after the start of the run. */
function left(seconds: number, ...events: RunEvent[]): number | null {
  const board = createBoard();
  for (const event of events) applyEvent(board, event);
  return timeLeft(board, START + seconds * 1000);
}

const known = (expectedSeconds: number) => ({ expectedSeconds });

test('there is none before the run, and none without history until each agent has measured one', () => {
  expect(left(0)).toBeNull();
  expect(left(5, runStarted(10, 2))).toBeNull();
  expect(left(5, runStarted(10, 2), started('ws-1', 1, 0), started('ws-2', 2, 0))).toBeNull();
  expect(left(5, runStarted(10, 2), started('ws-1', 1, 0), completed('ws-1', 1, 5))).toBeNull();
});

test('without history the average of what was measured stands for what waits', () => {
  const events = [
    runStarted(10, 2),
    started('ws-1', 1, 0),
    started('ws-2', 2, 0),
    completed('ws-1', 1, 4),
    completed('ws-2', 2, 6),
  ];
  // Both agents were busy for 5 of 5 seconds on average; 8 workstreams of 5 s wait.
  expect(left(5, ...events)).toBe((8 * 5) / 2);
});

test('with history there is an estimate as soon as an agent has worked', () => {
  const events = [runStarted(3, 1, known(60)), started('ws-1', 1, 0, known(10))];
  expect(left(0, ...events)).toBeNull();
  // 6 s left of the first, 50 s wait, one agent.
  expect(left(4, ...events)).toBe(56);
});

test('the agents count as far as they were busy', () => {
  const events = [
    runStarted(4, 4),
    ...[1, 2, 3].map((n) => started(`ws-${n}`, 1, 0)),
    ...[1, 2, 3].map((n) => completed(`ws-${n}`, 1, 10)),
    completed('ws-0', 1, 10),
  ];
  // Four measurements of 10 s in 80 s: half an agent. One of 10 s waits.
  expect(left(80, ...events)).toBe(20);
});

test('never less than what is left of one workstream', () => {
  const events = [
    runStarted(2, 2, known(1_001)),
    started('ws-1', 1, 0, known(1_000)),
    started('ws-2', 2, 0, known(1)),
    completed('ws-2', 2, 1),
  ];
  expect(left(10, ...events)).toBe(990);
});

test('progress that a workstream tells goes before what was expected', () => {
  const events = [runStarted(1, 1, known(100)), started('ws-1', 1, 0, known(100))];
  expect(left(10, ...events, progress('ws-1', 1, 0.5))).toBe(10);
  expect(left(10, ...events, progress('ws-1', 1, 0.001))).toBe(90);
});

test('a workstream that takes longer than expected gives no ground for an estimate', () => {
  const events = [runStarted(1, 1, known(5)), started('ws-1', 1, 0, known(5))];
  expect(left(4, ...events)).toBe(1);
  expect(left(6, ...events)).toBeNull();
});

test('what is skipped takes its average share with it', () => {
  const events = [runStarted(4, 1, known(40)), started('ws-1', 1, 0, known(10)), failed('ws-1', 1, 'no', 10)];
  expect(left(10, ...events)).toBe(30);
  expect(left(10, ...events, skipped('ws-2'))).toBe(20);
  expect(left(10, ...events, skipped('ws-2'), skipped('ws-3'))).toBe(10);
  expect(left(10, ...events, skipped('ws-2'), skipped('ws-3'), skipped('ws-4'))).toBeNull();
});

test('a second attempt is not a second workstream', () => {
  const events = [
    runStarted(2, 1, known(20)),
    started('ws-1', 1, 0, known(10)),
    started('ws-1', 1, 10, { attempt: 2, ...known(10) }),
  ];
  // 20 s since the start, of which the second attempt took 10 and is due; the other one waits. Half an agent.
  expect(left(20, ...events)).toBe(20);
});

test('there is none once the run is interrupted or has ended', () => {
  const events = [runStarted(3, 1, known(60)), started('ws-1', 1, 0, known(10))];
  expect(left(4, ...events, { type: 'interrupting', signal: 'SIGINT', running: 1 })).toBeNull();
  expect(left(4, ...events, runEnded(0, 60))).toBeNull();
});

test('a clock that went back does no harm', () => {
  const events = [runStarted(3, 1, known(60)), started('ws-1', 1, 0, known(10)), completed('ws-1', 1, 10)];
  expect(left(-5, ...events)).toBeNull();
});
