import { expect, test } from 'vitest';
import { within } from '../../src/support/within.ts';

test('gives what the function gives, and throws what it throws', () => {
  expect(within(60_000, () => undefined)).toBeUndefined();
  expect(within(60_000, () => within(60_000, () => 2) + 1)).toBe(3);
  const error = new TypeError('its own');
  expect(() =>
    within(60_000, () => {
      throw error;
    }),
  ).toThrow(error);
});

test('ends a regular expression that would go on for years', () => {
  const goesOn = () => /^(?:a|aa)+$/.test(`${'a'.repeat(90)}!`);
  expect(() => within(50, goesOn)).toThrow(expect.objectContaining({ code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' }));
  expect(within(60_000, () => 'as before')).toBe('as before');
});
