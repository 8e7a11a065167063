import { expect, test } from 'vitest';
import { dateTime, secondsBetween, timeOfDay } from '../../src/report/cells.ts';

test('a time without a zone is UTC, as SQLite writes it', () => {
  expect(dateTime('2024-02-03 04:05:06')).toBe('2024-02-03 04:05:06');
  expect(dateTime('2024-02-03T04:05:06.789+02:00')).toBe('2024-02-03 02:05:06');
});

test('what is no time is a dash', () => {
  expect(dateTime(null)).toBe('–');
  expect(dateTime('yesterday')).toBe('–');
  expect(timeOfDay(null, '2024-02-03 04:05:06')).toBe('–');
  expect(secondsBetween(null, '2024-02-03 04:05:06')).toBeNull();
});

test('the time of day, with the date once the day is another', () => {
  const start = '2024-02-03T23:59:59.000Z';
  expect(timeOfDay('2024-02-03T23:59:59.250Z', start)).toBe('23:59:59.250');
  expect(timeOfDay('2024-02-04T00:00:01.000Z', start)).toBe('2024-02-04 00:00:01.000');
  expect(secondsBetween(start, '2024-02-04T00:00:01.500Z')).toBe(2.5);
});
