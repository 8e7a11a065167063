import fc from 'fast-check';
import { expect, test } from 'vitest';
import { distanceFrom } from '../../../../workstreams/tasks/algorithms/levenshtein.ts';

/** The table of Wagner & Fischer, 1974, row by row. */
function byTable(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

test.each([
  ['kitten', 'sitting', 3],
  ['intention', 'execution', 5],
  ['perfomance', 'performance', 1],
  ['abc', '', 3],
  ['', 'abc', 3],
  ['same', 'same', 0],
])('from %j to %j it takes %d edits', (from, to, edits) => {
  expect(distanceFrom(from)(to)).toBe(edits);
});

test('agrees with the table on all words, also those that fill the machine word', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 32 });
  fc.assert(fc.property(word, word, (a, b) => distanceFrom(a)(b) === byTable(a, b)));
});

test('a longer pattern is refused', () => {
  expect(() => distanceFrom('x'.repeat(33))).toThrow(RangeError);
});
