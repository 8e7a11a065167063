import { expect, test } from 'vitest';
import { ASCII, clock, coloursFor, glyphsFor, UNICODE } from '../../src/progress/style.ts';

test.each([
  [{ LANG: 'en_US.UTF-8' }, UNICODE],
  [{ LANG: 'C.utf8' }, UNICODE],
  [{ LC_CTYPE: 'UTF-8' }, UNICODE],
  [{ LANG: 'C' }, ASCII],
  [{}, ASCII],
  [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, ASCII],
  [{ LANG: 'de_DE.ISO-8859-1', LC_ALL: '', LC_CTYPE: 'de_DE.UTF-8' }, UNICODE],
  [{ LANG: 'en_US.UTF-8', TERM: 'linux' }, ASCII],
  [{ LANG: 'en_US.UTF-8', TERM: 'dumb' }, ASCII],
])('characters for %o', (env, glyphs) => {
  expect(glyphsFor(env, 'linux')).toBe(glyphs);
});

test('characters on Windows', () => {
  expect(glyphsFor({ WT_SESSION: 'x' }, 'win32')).toBe(UNICODE);
  expect(glyphsFor({ LANG: 'en_US.UTF-8' }, 'win32')).toBe(ASCII);
});

test('NO_COLOR takes colour away, unless FORCE_COLOR gives it', () => {
  const usual = coloursFor({ fd: 1 }, {}).level;
  expect(coloursFor({ fd: 1 }, { NO_COLOR: '1' }).level).toBe(0);
  expect(coloursFor({ fd: 1 }, { NO_COLOR: '' }).level).toBe(usual);
  expect(coloursFor({ fd: 1 }, { NO_COLOR: '1', FORCE_COLOR: '1' }).level).toBe(usual);
});

test.each([
  [-3, '0s'],
  [0.9, '0s'],
  [1, '1s'],
  [59.99, '59s'],
  [60, '1m'],
  [125.5, '2m 5s'],
  [3_600 * 3 + 60 * 20 + 59, '3h 20m'],
])('%d seconds are %s on the clock', (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});
