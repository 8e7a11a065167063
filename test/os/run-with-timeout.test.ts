import { expect, test } from 'vitest';
import { runWithTimeout } from '../../src/os/run-with-timeout.ts';

test('gives what the function gives, and throws what it throws', () => {
  expect(runWithTimeout(60_000, () => undefined)).toBeUndefined();
  expect(runWithTimeout(60_000, () => runWithTimeout(60_000, () => 2) + 1)).toBe(3);
  const error = new TypeError('its own');
  expect(() =>
    runWithTimeout(60_000, () => {
      throw error;
    }),
  ).toThrow(error);
});

test('ends a regular expression that would go on for years', () => {
  const goesOn = () => /^(?:a|aa)+$/.test(`${'a'.repeat(90)}!`);
  expect(() => runWithTimeout(50, goesOn)).toThrow(
    expect.objectContaining({ code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' }),
  );
  expect(runWithTimeout(60_000, () => 'as before')).toBe('as before');
});
