import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AgentLane,
  type Bar,
  barsIn,
  binsOf,
  gapsIn,
  isDense,
  loadIn,
  roomySpan,
  shifted,
  ticksOf,
  timelineOf,
  zoomed,
} from '../../../src/web/model/lanes.ts';
import { runOf, workstream } from '../kit.ts';

const laneOf = (...spans: [from: number, to: number][]): AgentLane => {
  const bars = spans.map(
    ([from, to], index): Bar => ({
      workstream: workstream(`ws-${index}`),
      attempt: 1,
      isEarlier: false,
      mark: 'completed',
      from,
      to,
    }),
  );
  return { agentId: 'agent-1', bars, running: [] };
};

test('a lane has the attempts of its agent, wherever the last one was', () => {
  const run = runOf([
    workstream('ws-1', {
      agentId: 'agent-2',
      start: '2026-01-01T00:00:10.000Z',
      end: '2026-01-01T00:00:12.000Z',
      seconds: 2,
      attemptCount: 2,
      earlierAttempts: [
        {
          attempt: 1,
          agentId: 'agent-10',
          tool: null,
          model: null,
          start: '2026-01-01T00:00:00.000Z',
          seconds: 3,
          reason: 'thrown',
          explanation: null,
          cost: null,
        },
      ],
    }),
  ]);
  const lanes = timelineOf(run).lanes.map(({ agentId, bars }) => [
    agentId,
    bars.map(({ attempt, from, to, isEarlier }) => [attempt, from, to, isEarlier]),
  ]);
  expect(lanes).toEqual([
    ['agent-2', [[2, 10, 12, false]]],
    ['agent-10', [[1, 0, 3, true]]],
  ]);
});

test('the bars of a window are those that reach into it', () => {
  const lane = laneOf([0, 1], [2, 4], [5, 6], [8, 9]);
  expect(barsIn(lane, [3, 5.5]).map(({ from }) => from)).toEqual([2, 5]);
  expect(barsIn(lane, [6.5, 7])).toEqual([]);
});

test('a gap is the time between two bars', () => {
  expect(gapsIn(laneOf([0, 1], [1.05, 2], [4, 5]).bars, 0.1)).toEqual([[2, 4]]);
});

test('a bin has the share in which the agent worked, and whether something failed', () => {
  const lane = laneOf([0, 1], [1, 2], [3, 4]);
  const failed = {
    ...lane,
    bars: lane.bars.map((bar, index) => (index === 2 ? { ...bar, mark: 'failed' as const } : bar)),
  };
  const bins = binsOf(failed, [0, 4], 2);
  expect([...bins.busy]).toEqual([1, 0.5]);
  expect([...bins.failed]).toEqual([0, 1]);
});

test('many bars are drawn as bins', () => {
  const lane = laneOf(...Array.from({ length: 1000 }, (_, index): [number, number] => [index, index + 1]));
  expect(isDense([lane], [0, 1000], 700)).toBe(true);
  expect(isDense([lane], [0, 50], 700)).toBe(false);
});

test('many lanes of fewer bars each are drawn as bins too', () => {
  const lane = laneOf(...Array.from({ length: 100 }, (_, index): [number, number] => [index, index + 1]));
  const lanes = (count: number): AgentLane[] => Array.from({ length: count }, () => lane);
  expect(isDense(lanes(40), [0, 100], 1000)).toBe(false);
  expect(isDense(lanes(60), [0, 100], 1000)).toBe(true);
});

test('the chart of a run under way has room for what comes, and its length changes seldom', () => {
  expect([0.3, 1, 9, 59, 61, 80, 81, 3600].map(roomySpan)).toEqual([1, 1, 10, 63, 63, 80, 100, 4000]);
  fc.assert(
    fc.property(fc.double({ min: 1, max: 1e7, noNaN: true }), (seconds) => {
      const span = roomySpan(seconds);
      expect(span).toBeGreaterThanOrEqual(seconds);
      expect(span).toBeLessThan(seconds * 1.29);
    }),
    { seed: 7 },
  );
});

const span = fc.tuple(
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.double({ min: 0.01, max: 50, noNaN: true }),
);

test('zooming and moving stay within the run, and zooming keeps the time under the pointer', () => {
  fc.assert(
    fc.property(
      span,
      fc.double({ min: 0.1, max: 5, noNaN: true }),
      fc.double({ min: -200, max: 200, noNaN: true }),
      ([start, length], factor, by) => {
        const whole = 200;
        const window = shifted([start, start + length], 0, whole);
        const moved = shifted(window, by, whole);
        expect(moved[0]).toBeGreaterThanOrEqual(0);
        expect(moved[1]).toBeLessThanOrEqual(whole + 1e-9);
        const next = zoomed(window, factor, window[0], whole);
        if (next === null) return;
        expect(next[0]).toBeCloseTo(Math.min(window[0], whole - (next[1] - next[0])), 6);
        expect(next[1]).toBeLessThanOrEqual(whole + 1e-9);
      },
    ),
    { seed: 7 },
  );
});

test('ticks are at round times, not too many of them', () => {
  expect(ticksOf([0, 219], 700)).toEqual({ step: 60, at: [0, 60, 120, 180] });
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (seconds) => {
      const { at } = ticksOf([0, seconds], 700);
      expect(at.length).toBeGreaterThan(0);
      expect(at.length).toBeLessThan(12);
    }),
    { seed: 7 },
  );
});

test('where the page does not have each workstream, the load of the document is drawn', () => {
  const load = {
    from: '2026-01-01T00:00:10.000Z',
    seconds: 5,
    agents: [{ agentId: 'agent-1', busy: [1, 0.5] }],
  };
  expect([...loadIn(load, 10, 'agent-1', [0, 20], 4)]).toEqual([0, 0, 1, 0.5]);
  expect([...loadIn(load, 10, 'agent-2', [0, 20], 2)]).toEqual([0, 0]);
});
