import { expect, test } from 'vitest';
import { csv } from '../../../src/web/model/format.ts';

test('values with commas, quotes and line breaks are quoted', () => {
  expect(
    csv(
      ['a', 'b'],
      [
        ['x,y', 'say "no"'],
        ['one\ntwo', ' spaces '],
      ],
    ),
  ).toBe('a,b\r\n"x,y","say ""no"""\r\n"one\ntwo"," spaces "\r\n');
});

test.each(['=1+2', '+1', '-1', '@SUM(A1)', '\tx', ' =HYPERLINK("http://x")'])(
  'text that a spreadsheet takes for a formula is text: %j',
  (text) => {
    const [, row = ''] = csv(['a'], [[text]]).split('\r\n');
    expect(row.replace(/^"/, '').startsWith("'")).toBe(true);
  },
);

test('numbers stay numbers, and what is not known is empty', () => {
  expect(csv(['a', 'b', 'c', 'd'], [[-1.5, 0, null, true]])).toBe('a,b,c,d\r\n-1.5,0,,true\r\n');
});
