import { expect, test } from 'vitest';
import { groupMessages, qualityOf } from './grouping.ts';
import { SAMPLE } from './sample.ts';

const sample = Object.entries(SAMPLE).flatMap(([kind, messages]) =>
  messages.map((message) => ({ kind, message })),
);

test('messages of programs of many kinds are grouped by what went wrong', () => {
  const groups = groupMessages(sample.map(({ message }) => message));
  const { accuracy, precision } = qualityOf(
    sample.map(({ kind }) => kind),
    groups,
  );
  expect(precision).toBeGreaterThanOrEqual(0.99);
  expect(accuracy).toBeGreaterThanOrEqual(0.85);
});

test('accuracy counts the messages of groups that are exactly a kind, precision the pairs of one kind', () => {
  expect(qualityOf(['a', 'a', 'b', 'b'], [0, 0, 1, 1])).toEqual({ accuracy: 1, precision: 1 });
  expect(qualityOf(['a', 'a', 'b', 'b'], [0, 0, 1, 2])).toEqual({ accuracy: 0.5, precision: 1 });
  expect(qualityOf(['a', 'a', 'b'], [0, 0, 0])).toEqual({ accuracy: 0, precision: 1 / 3 });
});
