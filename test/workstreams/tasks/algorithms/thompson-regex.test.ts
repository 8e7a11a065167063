import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRegex } from '../../../../workstreams/tasks/algorithms/thompson-regex.ts';

/** Patterns of all that is supported, made as trees. */
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', '.', '()'),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('pattern'), fc.constantFrom('?', '*', '+')).map(([a, sign]) => `(${a})${sign}`),
  ),
}));

test('agrees with the engine of JavaScript', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      expect(compileRegex(pattern)(text)).toBe(new RegExp(`^(?:${pattern})$`).test(text));
    }),
    { numRuns: 500 },
  );
});

test('matches in a moment what backtracking would not finish', () => {
  expect(compileRegex('(a+)+b')('a'.repeat(5000))).toBe(false);
  expect(compileRegex('(a+)+b')(`${'a'.repeat(5000)}b`)).toBe(true);
});

test.each(['(a', 'a)', '*a', 'a|*'])('%j is no pattern', (bad) => {
  expect(() => compileRegex(bad)).toThrow(SyntaxError);
});
