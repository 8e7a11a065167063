import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { columnsOf } from '../../src/text/columns.ts';

/** From ranges of simple characters and their neighbours, and what changes the width of the character before it. */
const character = fc.oneof(
  fc.integer({ min: 0x20, max: 0x370 }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0x2000, max: 0x2720 }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom('\u{301}', '\u{FE0F}', '\u{200D}', '\u{20E3}', '好', '🎉', '👨', '\u{1B}[1m'),
);

test('a text takes as many columns as string-width measures', () => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 6 }), (text) => {
      expect(columnsOf(text)).toBe(stringWidth(text));
    }),
    { numRuns: 2_000 },
  );
});

test('every single character up to the Chinese ones does', () => {
  const wrong: string[] = [];
  for (let code = 0x20; code < 0x3000; code += 1) {
    const text = `a${String.fromCodePoint(code)}b`;
    if (columnsOf(text) !== stringWidth(text)) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});
