import { expect, test } from 'vitest';
import { table } from '../../src/cli/print.ts';

test('columns are as wide as their widest cell, also with wide characters', () => {
  const rows = [
    ['ws-1', 12, null],
    ['日本', 3, 'two\nlines and \u001b[31mcolour'],
    ['💥', 1_000, ''],
  ];
  expect(table(['id', 'count', 'what'], rows).split('\n')).toEqual([
    'id    count  what',
    'ws-1  12     –',
    '日本  3      two lines and colour',
    '💥    1000',
  ]);
});

test('a head alone', () => {
  expect(table(['a', 'b'], [])).toBe('a  b');
});

test('a long cell is cut', () => {
  expect(table(['text', 'next'], [['x'.repeat(500), 'y']]).split('\n')[1]).toBe(`${'x'.repeat(99)}…  y`);
});
