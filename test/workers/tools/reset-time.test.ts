import { describe, expect, test } from 'vitest';
import { resetTime } from '../../../workers/tools/reset-time.ts';

/** A Sunday in summer. */
const NOW = Date.parse('2026-07-19T10:00:00Z');
const read = (text: string, now = NOW): string | null => {
  const at = resetTime(text, now);
  return at === null ? null : new Date(at).toISOString().replace('.000Z', 'Z');
};

describe('when a limit passes', () => {
  test.each([
    ['in 5 days 22 hours 11 minutes', '2026-07-25T08:11:00Z'],
    ['Your quota will reset after 111h9m43s.', '2026-07-24T01:09:43Z'],
    ['Resets in 2h39m52s', '2026-07-19T12:39:52Z'],
    ['try again in 1 hour and 30 minutes', '2026-07-19T11:30:00Z'],
    ['try again in 2 weeks', '2026-08-02T10:00:00Z'],
    ['Please try again in 11s.', '2026-07-19T10:00:11Z'],
    ['Please retry in 1500ms', '2026-07-19T10:00:01.500Z'],
  ])('is counted from now on: %s', (text, at) => {
    expect(read(text)).toBe(at);
  });

  test.each([
    ["You've hit your limit · resets 2pm (Asia/Shanghai)", '2026-07-20T06:00:00Z'],
    ["You've hit your limit · resets 7pm (Asia/Shanghai)", '2026-07-19T11:00:00Z'],
    ['resets 10:30am (America/New_York)', '2026-07-19T14:30:00Z'],
    ['resets 12am (UTC)', '2026-07-20T00:00:00Z'],
    ['resets 12pm (UTC)', '2026-07-19T12:00:00Z'],
    ['resets at 23:15 UTC', '2026-07-19T23:15:00Z'],
  ])('is the next such time of day in its zone: %s', (text, at) => {
    expect(read(text)).toBe(at);
  });

  test.each([
    ['try again at Jul 23rd, 2026 4:15 AM (UTC).', '2026-07-23T04:15:00Z'],
    ['resets Oct 9 at 5pm (Europe/Berlin)', '2026-10-09T15:00:00Z'],
    ['resets Jan 2, 5:30 PM (UTC)', '2027-01-02T17:30:00Z'],
    ['resets 2026-07-23T04:15:00Z', '2026-07-23T04:15:00Z'],
    ['Claude AI usage limit reached|1784500000', '2026-07-19T22:26:40Z'],
    ['Claude AI usage limit reached|1784500000000', '2026-07-19T22:26:40Z'],
  ])('is a date: %s', (text, at) => {
    expect(read(text)).toBe(at);
  });

  test('is what clocks show there, where they are changed in between', () => {
    const evening = Date.parse('2026-10-24T20:00:00Z');
    expect(read('resets 4am (Europe/Berlin)', evening)).toBe('2026-10-25T03:00:00Z');
  });

  test('may have passed a moment ago, and is not that of tomorrow then', () => {
    expect(read('resets 10am (UTC)', NOW + 30_000)).toBe('2026-07-19T10:00:00Z');
    expect(read('resets 10am (UTC)', NOW + 3_600_000)).toBe('2026-07-20T10:00:00Z');
  });

  test('is in the zone of this process where none is named', () => {
    const expected = new Date(2026, 6, 23, 4, 15).toISOString().replace('.000Z', 'Z');
    expect(read('try again at Jul 23rd, 2026 4:15 AM.')).toBe(expected);
    expect(read('resets Jul 23 at 4:15 AM (no/such zone)')).toBe(expected);
  });

  test.each([
    'You have hit your limit',
    'after 5',
    'resets 25pm',
    'resets 99:99',
    'version 2.1.330',
    'resets 5',
  ])('is not known from %s', (text) => {
    expect(read(text)).toBeNull();
  });
});
