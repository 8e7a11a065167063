import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cutBytes,
  endOf,
  firstOf,
  lastOf,
  shortened,
  wholeCharacters,
  wholeLength,
} from '../../src/text/cut-text.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'é', '好', '🎉', '👨'), maxLength: 12 });

test('a cut is never within a character, and no shorter than it has to be', () => {
  fc.assert(
    fc.property(text, fc.nat(30), (whole, length) => {
      for (const cut of [firstOf(whole, length), lastOf(whole, length), shortened(whole, length + 1)]) {
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(length + 1);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(whole.length, length) - 1);
      }
      expect(whole.startsWith(firstOf(whole, length)) && whole.endsWith(lastOf(whole, length))).toBe(true);
      expect(endOf(whole, length + 1).isWellFormed()).toBe(true);
    }),
  );
});

test('bytes of UTF-8 are cut between characters at either end', () => {
  fc.assert(
    fc.property(text, fc.nat(30), (whole, at) => {
      const bytes = Buffer.from(whole);
      expect(whole.endsWith(wholeCharacters(bytes.subarray(at)))).toBe(true);
      const length = wholeLength(bytes, at);
      expect(whole.startsWith(bytes.toString('utf8', 0, length))).toBe(true);
      expect(length).toBeGreaterThan(Math.min(at, bytes.length) - 4);
    }),
  );
});

test('a half that is in the text itself stays', () => {
  expect(firstOf('a\ud83cb', 2)).toBe('a\ud83c');
  expect(firstOf('🎉', 1)).toBe('');
  expect(lastOf('🎉', 1)).toBe('');
  expect(shortened('ab', 2)).toBe('ab');
  expect(endOf('abc', 2)).toBe('…c');
});

test('no joiner is left at a cut', () => {
  expect([firstOf('👨\u200d👩', 3), lastOf('👨\u200d👩', 3)]).toEqual(['👨', '👩']);
});

test('a text of exactly 8 KiB is whole, one of a byte more is cut', () => {
  expect(cutBytes('a'.repeat(8_192))).toBe('a'.repeat(8_192));
  expect(cutBytes('a'.repeat(8_193))).toBe(`${'a'.repeat(8_192)}… (cut, 8193 characters in all)`);
});

test('no character is cut in two', () => {
  expect(cutBytes(`a${'😀'.repeat(3_000)}`)).toBe(`a${'😀'.repeat(2_047)}… (cut, 6001 characters in all)`);
});
