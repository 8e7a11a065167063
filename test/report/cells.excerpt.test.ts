import { expect, test } from 'vitest';
import { excerpt } from '../../src/report/cells.ts';

test('a short text stays, without escapes and blank ends', () => {
  expect(excerpt('\n\u001b[31ma\u001b[0m  \n\tb\n\n', 100, 'end')).toBe('a\n\tb');
});

test('a long one keeps its beginning or its end, exactly as long as it may be', () => {
  expect(excerpt('0123456789', 5, 'start')).toBe('0123…');
  expect(excerpt('0123456789', 5, 'end')).toBe('…6789');
});

test('what is escaped counts as it is shown', () => {
  expect(excerpt('\0\0\0', 9, 'start')).toBe('\\u{0}\\u{…');
});

test('no half of a character', () => {
  expect(excerpt('ab🌊cd', 4, 'start')).toBe('ab…');
  expect(excerpt('ab🌊cd', 4, 'end')).toBe('…cd');
});
