import { assert, nat, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shapeOf } from '../../../src/analysis/patterns/shape.ts';
import { describeFailure } from '../../../src/domain/failure-message.ts';

describe('one error with other values has one shape', () => {
  test.each([
    [
      'ENOENT: no such file or directory, open <*>',
      "Error: ENOENT: no such file or directory, open '/tmp/run 7/a.json'",
      "ENOENT: no such file or directory, open 'C:\\ws\\b.json'",
    ],
    ['connect ECONNREFUSED <*>', 'connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED ::1:6379'],
    ['seed <*> gave <*>', 'Error: seed 7 gave 1.25e-7', 'Error: seed 12 gave -3'],
    ['took <*>, more than allowed', 'took 250ms, more than allowed', 'took 12 s, more than allowed'],
    ['row <*> is locked', 'row 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is locked', 'row 12 is locked'],
    ['bad commit <*>', 'bad commit 9fceb02', 'bad commit 0e59b04ac4df4c5a1d5a7f1b0e59b04ac4df4c5a'],
    ['segfault at <*>', 'segfault at 0x7ffee4', 'segfault at 0x0'],
    ['token <*> expired', 'token 8sKd92mZqP01xYv7T expired', 'token Aq1Zx2Sw3Ed4Cv5Fr expired'],
    ['expired at <*>', 'expired at 2026-01-02T03:04:05.678Z', 'expired at Fri Jul 17 07:07:00 2005'],
    [
      'fetch of <*> failed',
      'fetch of https://a.io/users/17?x=1 failed',
      'fetch of http://me:pw@b.io:8443/ failed',
    ],
    [
      'error TS2345: wrong',
      'src/a/b.ts:10:5 - error TS2345: wrong',
      '/work/lib/c.ts(1,2): error TS2345: wrong',
    ],
    ['item_<*> of worker<*> is missing', 'item_3 of worker1 is missing', 'item_40 of worker12 is missing'],
    ['Cannot find module <*>', "Cannot find module 'express'", "Cannot find module './config/ssl'"],
    ['no rows for <*>', 'no rows for 1', 'no rows for 1, 2 and 3'],
    ['expected <*> to be empty', "expected [ 'a', 'b' ] to be empty", 'expected { a: [ 1 ] } to be empty'],
    [
      'no activity for Intent { flg=<*> cmp=<*> }',
      'no activity for Intent { flg=0x10 cmp=com.a.b/.Main }',
      'no activity for Intent { flg=0x2 cmp=org.c.d/.Chat }',
    ],
    ['<*> sent', '12 KB sent', '3.4 MiB sent'],
    ['disk is full', 'disk is full (12)', 'disk is full.'],
  ])('%s', (shape, one, other) => {
    expect(shapeOf(one)).toBe(shape);
    expect(shapeOf(other)).toBe(shape);
  });
});

describe('different errors have different shapes', () => {
  test.each([
    ['ENOENT: no such file or directory', 'EACCES: permission denied'],
    ["Cannot find package 'lodash'", "Cannot find module './lodash.js'"],
    ['error TS2345: no', 'error TS2339: no'],
    ['error[E0382]: no', 'error[E0502]: no'],
    ['ORA-00942: table', 'ORA-00001: table'],
    ['`make` ended with exit code 2.', '`make` ended with exit code 137.'],
    ['Request failed with status code 404', 'Request failed with status code 500'],
    ['The requested URL returned error: 403', 'The requested URL returned error: 500'],
    ['[Errno 2] No such thing', '[Errno 13] No such thing'],
    ['`npm test` was ended by SIGKILL.', '`npm test` was ended by SIGTERM.'],
    ['foo is not a function', 'bar is not a function'],
    ['TypeError: x', 'RangeError: x'],
    ['overloaded_error: slow down', 'rate_limit_error: slow down'],
    ['"GET /a HTTP/1.1" failed', '"POST /a HTTP/1.1" failed'],
    ["node is in state 'Ready'", "node is in state 'Draining'"],
    ['no IPv4 address', 'no IPv6 address'],
    ['got Intent { act=a.b.VIEW flg=0x1 }', 'got Intent { flg=0x1 cmp=a.b.Home }'],
    ["rejected: 'the table is locked'", "rejected: 'no such table here'"],
    ['Error: no message, thrown at a.mjs:2', 'Error: no message, thrown at a.mjs:7'],
  ])('%s | %s', (one, other) => {
    expect(shapeOf(one)).not.toBe(shapeOf(other));
  });
});

test('text without anything variable is kept as it is', () => {
  const texts = [
    'read and/or write',
    'application/json is not supported',
    'N/A',
    'SIGTERM',
    "can't stop, won't stop",
  ];
  expect(texts.map(shapeOf)).toEqual(texts);
});

describe('the line that tells counts, and not one that only leads to it', () => {
  test.each([
    ['Error: \nthe disk is full', 'the disk is full'],
    ['Error:\n\n  the disk is full\n  at x', 'the disk is full'],
    ['=====\n\nthe disk is full', 'the disk is full'],
    [
      'Build failed with 2 errors:\nsrc/a.ts:1:2: ERROR: no x',
      'Build failed with <*> errors: <*>: ERROR: no x',
    ],
    ['Error: Command failed: make\nno rule for x\n', 'Command failed: make no rule for x'],
    ['Something went wrong.\nthe disk is full', 'Something went wrong. the disk is full'],
    ['docker: Error response from daemon: no', 'Error response from daemon: no'],
    ['make[2]: nothing to do', 'make: nothing to do'],
    ['The table is locked. Try again in 5 minutes.', 'The table is locked'],
    ['deadlock in row 5\\n\\ngoroutine 1 [running]:', 'deadlock in row <*>'],
    [
      'Error: Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    x()\nValueError: bad',
      'ValueError: bad',
    ],
    [
      'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r1"}',
      'API Error: 529 type overloaded_error Overloaded',
    ],
    [
      'ZodError: [\n  {\n    "code": "too_small",\n    "path": ["a"]\n  }\n]\nmore',
      'ZodError: code too_small',
    ],
  ])('%j', (message, shape) => {
    expect(shapeOf(message)).toBe(shape);
  });
});

describe('the root cause is part of a shape', () => {
  const failed = (...causes: string[]): string =>
    shapeOf(['Error: request 7 failed', ...causes.map((cause) => `Caused by: ${cause}`)].join('\n'));

  test('masked like the message', () => {
    expect(failed('TypeError: fetch failed', 'connect ECONNREFUSED ::1:5432')).toBe(
      'request <*> failed ← connect ECONNREFUSED <*>',
    );
    expect(failed('a')).not.toBe(failed('b'));
  });

  test('also behind a long message', () => {
    expect(failed('word '.repeat(30), 'root')).toMatch(/^request <\*> failed ← root$/);
  });

  test('as the message of a failure names it', () => {
    const thrown = { name: 'Error', message: 'a', causes: [{ name: 'E', message: 'b', code: 'C' }] };
    expect(shapeOf(describeFailure({ reason: 'thrown', how: 'thrown', thrown }))).toBe('a ← E: b (C)');
  });
});

test('otherwise only the first line that is not empty counts', () => {
  expect(shapeOf('\n\n  boom\n    at f (/a/b.js:1:1)')).toBe('boom');
  expect(shapeOf('a\r\nb')).toBe('a');
  expect(shapeOf('')).toBe('');
});

test('terminal escapes do not change a shape', () => {
  expect(shapeOf('\u001b[31mError\u001b[39m: 5 left')).toBe('<*> left');
});

test('any text has a shape of one line and of at most 64 words', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 200 }), (text) => {
      const shape = shapeOf(text);
      expect(shape).not.toMatch(/[\r\n]/);
      expect(shape.split(' ').length).toBeLessThanOrEqual(64);
    }),
  );
});

test('numbers never tell two errors apart', () => {
  assert(
    property(nat(), nat(), (one, other) => {
      expect(shapeOf(`worker ${one} lost its lock`)).toBe(shapeOf(`worker ${other} lost its lock`));
    }),
  );
});
