import { expect, test } from 'vitest';
import {
  clock,
  count,
  dollars,
  duration,
  figure,
  listed,
  oneLine,
  percent,
  shown,
  withCode,
} from '../../../src/web/model/format.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');

test('numbers have their thousands apart', () => {
  expect([0, 999, 1000, 1_234_567].map((value) => plain(count(value)))).toEqual([
    '0',
    '999',
    '1 000',
    '1 234 567',
  ]);
});

test('durations have units, and what is not known is a dash', () => {
  expect([null, 0.0123, 9, 219, 5520].map((value) => plain(duration(value)))).toEqual([
    '–',
    '12 ms',
    '9 s',
    '3 m 39 s',
    '1 h 32 m',
  ]);
});

test('measured numbers have four significant digits', () => {
  expect(
    [7.32119, 1096.4, -0.00421, 0, 1e-9, -2.351e-7, 1e20, 12_345_678].map((value) => plain(figure(value))),
  ).toEqual(['7.321', '1 096', '−0.00421', '0', '1e−9', '−2.35e−7', '1e20', '12 345 678']);
});

test('shares, dollars and lists read as in a sentence', () => {
  expect([0.0421, 0.973, 1, null].map((value) => plain(percent(value)))).toEqual([
    '4.2 %',
    '97 %',
    '100 %',
    '–',
  ]);
  expect([0, 1.5, 0.0042, 0.00001].map(dollars)).toEqual(['$0.00', '$1.50', '$0.0042', '< $0.0001']);
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c');
});

test('the axis of time has seconds, minutes or hours', () => {
  expect([clock(0.25, 0.05), clock(45, 5), clock(65, 5), clock(3723, 60)].map(plain)).toEqual([
    '0.25 s',
    '45 s',
    '1:05',
    '1:02:03',
  ]);
});

test('text is shown without what a terminal acts on, and without characters that reorder or hide others', () => {
  expect(shown('\u001b[31mred\u001b[0m')).toBe('red');
  expect(shown('10 %\r50 %\rdone\r\n')).toBe('done\n');
  expect(shown('a\u202eb\u0007c\u200bd')).toBe('a\ufffdb\ufffdc\ufffdd');
  expect(shown('שלום, 你好, 🌊')).toBe('שלום, 你好, 🌊');
});

test('a line is cut between characters', () => {
  expect(oneLine('a\n\tb   c', 10)).toBe('a b c');
  expect(oneLine('ab🌊cd', 4)).toBe('ab…');
});

test('code of a sentence is between backticks, also where a hole is in it', () => {
  const read = (...parts: (string | null)[]): string[] =>
    withCode(parts).map(({ text, isCode }) => (isCode ? `<${text}>` : String(text)));
  expect(read('`npm test` ended with `1`.')).toEqual(['<npm test>', ' ended with ', '<1>', '.']);
  expect(read('Run `cat ', null, '` first')).toEqual(['Run ', '<cat >', '<null>', ' first']);
  expect(read('no code')).toEqual(['no code']);
});

test('a backtick without a partner stays, and so do several in a row', () => {
  expect(withCode(['`a` and ` alone'])).toEqual([
    { text: 'a', isCode: true },
    { text: ' and ', isCode: false },
    { text: '` alone', isCode: false },
  ]);
  expect(withCode(['`', null])).toEqual([
    { text: '`', isCode: false },
    { text: null, isCode: false },
  ]);
  expect(withCode(['```js', 'x`'])).toEqual([
    { text: '```js', isCode: false },
    { text: 'x`', isCode: false },
  ]);
});
