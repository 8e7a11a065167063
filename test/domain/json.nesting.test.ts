import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDeeper } from '../../src/domain/json.ts';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

test('any JSON is as deep as it is', () => {
  fc.assert(
    fc.property(fc.json({ depthSize: 'medium' }), fc.nat({ max: 6 }), (json, levels) => {
      expect(isDeeper(json, levels)).toBe(depthOf(JSON.parse(json)) > levels);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['["[[[[", "\\"[[[", "\\\\", "["]', 1],
  ['{"{{{":{"}":"]"}}', 2],
  ['["[["]', 1],
])('what stands in strings does not count: %s', (json, depth) => {
  expect([isDeeper(json, depth), isDeeper(json, depth - 1)]).toEqual([false, true]);
});

test('a million levels are no trouble', () => {
  expect(isDeeper('['.repeat(1_000_000), 999_999)).toBe(true);
});
