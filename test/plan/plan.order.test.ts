import { expect, test } from 'vitest';
import { handingOutOrder } from '../../src/plan/plan.ts';
import { makeWorkstream } from '../kit/make-workstream.ts';

interface Part {
  at: [file: string, position: number];
  priority?: number;
  remaining?: number;
}

function order(...parts: Part[]): number[] {
  const workstreams = parts.map(({ at: [file, position], priority = 0 }, index) =>
    makeWorkstream({ id: `ws-${index}`, source: { file, position }, priority }),
  );
  return [
    ...handingOutOrder(
      workstreams,
      Float64Array.from(parts, ({ remaining }) => remaining ?? 1),
    ),
  ];
}

test('a greater priority comes before a longer remaining path', () => {
  expect(order({ at: ['a', 0], remaining: 9 }, { at: ['a', 1], priority: 1 })).toEqual([1, 0]);
});

test('a longer remaining path comes before an earlier file', () => {
  expect(order({ at: ['a', 0] }, { at: ['b', 0], remaining: 2 })).toEqual([1, 0]);
});

test('remaining paths that differ by the noise of a machine are equally long', () => {
  expect(
    order(
      { at: ['a', 0], remaining: 0.000_02 },
      { at: ['a', 1], remaining: 0.004 },
      { at: ['a', 2], remaining: 0.03 },
      { at: ['a', 3], remaining: 0.031 },
    ),
  ).toEqual([2, 3, 0, 1]);
});

test('files are ordered by code unit, so upper case comes first and "10" before "2"', () => {
  expect(
    order({ at: ['b', 0] }, { at: ['ä', 0] }, { at: ['B', 0] }, { at: ['2', 0] }, { at: ['10', 0] }),
  ).toEqual([4, 3, 2, 0, 1]);
});

test('in one file the position counts as a number, and members of a matrix stay in order', () => {
  expect(order({ at: ['a', 10] }, { at: ['a', 2] }, { at: ['a', 2] })).toEqual([1, 2, 0]);
});
