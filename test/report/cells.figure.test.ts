import { expect, test } from 'vitest';
import { figure, ratio } from '../../src/report/cells.ts';

test.each([
  [4999999, '4999999'],
  [0.1 + 0.2, '0.3'],
  [2 / 3, '0.666667'],
  [1190476.1904, '1190476'],
  [1.23456789e-9, '1.23457e-9'],
  [-1234.56789, '-1234.57'],
])('the figure %d', (value, shown) => {
  expect(figure(value)).toBe(shown);
});

test.each([
  [null, '–'],
  [1.8351, '1.84'],
  [0, '0'],
  [382.98, '383'],
])('the ratio %j', (value, shown) => {
  expect(ratio(value)).toBe(shown);
});
