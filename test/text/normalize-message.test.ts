import { assert, nat, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeFailure } from '../../src/domain/failure-message.ts';
import { normalizeMessage } from '../../src/text/normalize-message.ts';

describe('one error, other numbers and places', () => {
  test.each([
    [
      'ENOENT: no such file or directory, open <path>',
      "ENOENT: no such file or directory, open '/tmp/run 7/a.json'",
      "ENOENT: no such file or directory, open '/home/me/b.json'",
    ],
    [
      'connect ECONNREFUSED <address>',
      'connect ECONNREFUSED 127.0.0.1:5432',
      'connect ECONNREFUSED 10.1.20.3:80',
    ],
    ['Error: seed <n> gave <n>', 'Error: seed 7 gave 1.25e-7', 'Error: seed 12 gave -3'],
    [
      'took <duration>, more than <duration>',
      'took 250ms, more than 1.5 s',
      'took 12 s, more than 3 minutes',
    ],
    [
      'row <uuid> is locked',
      'row 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is locked',
      'row 00000000-0000-0000-0000-000000000000 is locked',
    ],
    ['bad commit <hex>', 'bad commit 9fceb02', 'bad commit 0e59b04ac4df4c5a1d5a7f1b0e59b04ac4df4c5a'],
    ['segfault at <hex>', 'segfault at 0x7ffee4', 'segfault at 0x0'],
    ['token <id> expired', 'token 8sKd92mZqP01xYv7T expired', 'token Aq1Zx2Sw3Ed4Cv5Fr expired'],
    ['expired at <time>', 'expired at 2026-01-02T03:04:05.678Z', 'expired at 2025-12-31 23:59:59'],
    [
      'fetch of https://api.example.com/<path> failed',
      'fetch of https://api.example.com/users/17?x=1 failed',
      'fetch of https://me:secret@api.example.com:8443/items failed',
    ],
    [
      '<path>: error TS2345: wrong',
      'src/a/b.ts:10:5: error TS2345: wrong',
      '/work/lib/c.ts:1:2: error TS2345: wrong',
    ],
    ['item_<n> of worker<n> is missing', 'item_3 of worker1 is missing', 'item_40 of worker12 is missing'],
    ['cannot open <path>', 'cannot open C:\\data\\in.csv', 'cannot open ./data/in.csv'],
    [
      'Unexpected token at position <n>',
      'Unexpected token at position 0',
      'Unexpected token at position 1,024',
    ],
  ])('%s', (pattern, one, other) => {
    expect(normalizeMessage(one).replaceAll(/['"](<path>)['"]/g, '$1')).toBe(pattern);
    expect(normalizeMessage(other)).toBe(normalizeMessage(one));
  });
});

describe('different errors stay apart', () => {
  test.each([
    [
      "Cannot read properties of undefined (reading 'name')",
      "Cannot read properties of undefined (reading 'size')",
    ],
    ['ENOENT: no such file or directory', 'EACCES: permission denied'],
    ["Cannot find package '@scope/one'", "Cannot find package '@scope/two'"],
    ["Cannot find package 'lodash'", "Cannot find module './lodash.js'"],
    ['error TS2345: no', 'error TS2339: no'],
    ['ORA-00942: table', 'ORA-00001: table'],
    ['`make` ended with exit code 2.', '`make` ended with exit code 137.'],
    ['Request failed with status code 404', 'Request failed with status code 500'],
    ['getaddrinfo ENOTFOUND https://a.example.com/x', 'getaddrinfo ENOTFOUND https://b.example.com/x'],
    ['`npm test` was ended by SIGKILL.', '`npm run lint` was ended by SIGKILL.'],
    ['foo is not a function', 'bar is not a function'],
    ['TypeError: x', 'RangeError: x'],
    ['Error: no message, thrown at a.mjs:2', 'Error: no message, thrown at a.mjs:7'],
  ])('%s | %s', (one, other) => {
    expect(normalizeMessage(one)).not.toBe(normalizeMessage(other));
  });
});

test('text without anything variable is kept as it is', () => {
  const texts = ['read and/or write', 'application/json is not supported', 'N/A', "reading 'foo'", 'SIGTERM'];
  expect(texts.map(normalizeMessage)).toEqual(texts);
});

describe('the line that tells counts, and not one that only announces it', () => {
  test.each([
    ['Error: \nthe disk is full', 'Error: the disk is full'],
    ['Error:\n\n  the disk is full\n  at x', 'Error: the disk is full'],
    ['=====\n\nthe disk is full', 'the disk is full'],
    [
      'Error: Build failed with 2 errors:\nsrc/a.ts:1:2: ERROR: no x',
      'Error: Build failed with <n> errors: <path>: ERROR: no x',
    ],
    ['Error: Command failed: make\nno rule for x\n', 'Error: Command failed: make no rule for x'],
    ['Error: Error\nthe disk is full', 'Error: Error the disk is full'],
    ['Something went wrong.\nthe disk is full', 'Something went wrong. the disk is full'],
    [
      'ZodError: [\n  {\n    "code": "too_small",\n    "path": [\n      "a"\n    ]\n  }\n]\nmore',
      'ZodError: [ { "code": "too_small", "path": [ "a" ] } ]',
    ],
    ['thrown object: {\n  status: 500,\n  body: {}\n}', 'thrown object: { status: <n>, body: {} }'],
    [
      'Error: Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    x()\nValueError: bad',
      'ValueError: bad',
    ],
  ])('%j', (message, pattern) => {
    expect(normalizeMessage(message)).toBe(pattern);
  });
});

describe('causes are part of a pattern', () => {
  const failed = (...causes: string[]): string =>
    normalizeMessage(['Error: request 7 failed', ...causes.map((cause) => `Caused by: ${cause}`)].join('\n'));

  test('masked like the message, each once', () => {
    const causes = ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED ::1:5433'];
    expect(failed('TypeError: fetch failed', ...causes)).toBe(
      'Error: request <n> failed ← TypeError: fetch failed ← connect ECONNREFUSED ::<n>:<n>',
    );
    expect(failed('a')).not.toBe(failed('b'));
  });

  test('the root stays, however long what stands before it', () => {
    const pattern = failed('m'.repeat(900), 'x'.repeat(900), 'root');
    expect(pattern).toHaveLength(300);
    expect(pattern).toMatch(/^Error: request <n> failed ← m+ ← root$/);
  });

  test('they are those that the message of a failure names', () => {
    const thrown = { name: 'Error', message: 'a', causes: [{ name: 'E', message: 'b', code: 'C' }] };
    expect(normalizeMessage(describeFailure({ reason: 'thrown', how: 'thrown', thrown }))).toBe(
      'Error: a ← E: b (C)',
    );
  });
});

test('otherwise only the first line that is not empty counts', () => {
  expect(normalizeMessage('\n\n  boom\n    at f (/a/b.js:1:1)')).toBe('boom');
  expect(normalizeMessage('a\r\nb')).toBe('a');
  expect(normalizeMessage('')).toBe('');
});

test('terminal escapes do not split a pattern', () => {
  expect(normalizeMessage('\u001b[31mError\u001b[39m: 5 left')).toBe('Error: <n> left');
});

test('a pattern has at most 300 characters, also of a line of 10 MB', () => {
  expect(normalizeMessage('x'.repeat(10_000_000))).toHaveLength(300);
  expect(normalizeMessage('/a'.repeat(5_000_000))).toBe('<path>');
});

test('any text gives a pattern of one line', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 200 }), (text) => {
      const pattern = normalizeMessage(text);
      expect(pattern).not.toMatch(/[\r\n]/);
      expect(pattern.length).toBeLessThanOrEqual(300);
    }),
  );
});

test('numbers never tell two errors apart', () => {
  assert(
    property(nat(), nat(), (one, other) => {
      expect(normalizeMessage(`worker ${one} lost its lock`)).toBe(
        normalizeMessage(`worker ${other} lost its lock`),
      );
    }),
  );
});
