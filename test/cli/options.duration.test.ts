import { expect, test } from 'vitest';
import { durationOf } from '../../src/cli/options.ts';

test.each([
  ['90', 90],
  ['90s', 90],
  ['5m', 300],
  ['1h30m', 5_400],
  ['12h', 43_200],
  ['30d', 2_592_000],
  ['2w', 1_209_600],
  ['1.5h', 5_400],
  ['0', 0],
])('%s is %i seconds', (text, seconds) => {
  expect(durationOf('--older-than', text)).toBe(seconds);
});

test.each([[''], ['soon'], ['-1d'], ['1x'], ['1h 30m'], ['d'], ['1.2.3h'], ['.h']])('%j is none', (text) => {
  expect(() => durationOf('--older-than', text)).toThrow('is no duration');
});
