import { expect, test } from 'vitest';
import { expectedSeconds } from '../../src/plan/plan.ts';
import { makeWorkstream } from '../kit/make-workstream.ts';

const workstreams = (...ids: string[]) => ids.map((id) => makeWorkstream({ id }));

test('what is not known is the median of what is', () => {
  const { seconds, known } = expectedSeconds(
    workstreams('a', 'b', 'c', 'd'),
    new Map([
      ['a', 10],
      ['c', 2],
      ['d', 3],
    ]),
  );
  expect([[...seconds], known]).toEqual([[10, 3, 2, 3], 3]);
});

test('an even number has the mean of its two middle ones', () => {
  expect([
    ...expectedSeconds(
      workstreams('a', 'b', 'c'),
      new Map([
        ['a', 1],
        ['b', 4],
      ]),
    ).seconds,
  ]).toEqual([1, 4, 2.5]);
});

test('durations of others and what is no duration count for nothing', () => {
  const { seconds, known } = expectedSeconds(
    workstreams('a', 'b'),
    new Map([
      ['x', 50],
      ['a', Number.NaN],
      ['b', -1],
    ]),
  );
  expect([[...seconds], known]).toEqual([[1, 1], 0]);
});
