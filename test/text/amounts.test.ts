import { expect, test } from 'vitest';
import { megabytes, parseDuration, parseSize, processors, reservationText } from '../../src/text/amounts.ts';

test.each([
  ['512', 512],
  ['512M', 512],
  ['512mb', 512],
  ['16G', 16_384],
  ['1.5 GiB', 1536],
  ['2T', 2_097_152],
  ['2048k', 2],
  ['', null],
  ['-1', null],
  ['16 apples', null],
])('the size %j is %j MB', (text, size) => {
  expect(parseSize(text)).toBe(size);
});

test.each([
  ['90', 90],
  ['1h30m', 5400],
  ['0.5s', 0.5],
  ['soon', null],
])('the duration %j is %j s', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test('amounts are written as people read them', () => {
  expect([megabytes(900), megabytes(1024), megabytes(10_000)]).toEqual(['900 MB', '1 GB', '9.8 GB']);
  expect([processors(1), processors(2.5), processors(1.139)]).toEqual(['1 cpu', '2.5 cpus', '1.14 cpus']);
  expect(reservationText({ cpus: 2, memoryMb: 512 })).toBe('2 cpus, 512 MB');
  expect(reservationText({ cpus: null, memoryMb: null })).toBe('–');
});
