import { describe, expect, test } from 'vitest';
import { escapeControls, oneLine, printable } from '../../src/text/printable.ts';

describe('joiners', () => {
  test.each(['می‌خواهم', '👨‍👩‍👧', '🏳️‍🌈', '👩🏽‍💻', '❤️‍🔥', 'क्‍ष', 'Auf‌lage'])('within %s stay', (text) => {
    expect(printable(text)).toBe(text);
  });

  test.each([
    ['\u200cadmin', '\\u{200c}admin'],
    ['admin\u200d', 'admin\\u{200d}'],
    ['a \u200d b', 'a \\u{200d} b'],
    ['1\u200d1', '1\\u{200d}1'],
    ['a\u200d\u200db', 'a\\u{200d}\\u{200d}b'],
    ['pass\u200bword', 'pass\\u{200b}word'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['a\u2066b', 'a\\u{2066}b'],
  ])('elsewhere, and what turns text around, are shown: %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe('no line commands a CI server', () => {
  test.each([
    ['::error::x', '\\u{3a}:error::x'],
    ['one\n  ::set-env name=A::b', 'one\n  \\u{3a}:set-env name=A::b'],
    ['over\r::error::x', '\\u{3a}:error::x'],
    ['\u001b[31m::error::x', '\\u{3a}:error::x'],
    ['a ##[error]b', 'a \\u{23}#[error]b'],
    ['a ##vso[task.setvariable]b', 'a \\u{23}#vso[task.setvariable]b'],
    ['std::vector and ## heading', 'std::vector and ## heading'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test('nor does JSON, and its value stays', () => {
    const value = { msg: '##vso[task.complete]', other: '##[error]' };
    const json = escapeControls(JSON.stringify(value));
    expect(json).not.toMatch(/##(vso)?\[/);
    expect(JSON.parse(json)).toEqual(value);
  });
});

test('progress that was written over is shown in its last state, on one line too', () => {
  expect(oneLine(`${'10 %\r'.repeat(5)}100 % done`, 40)).toBe('100 % done');
});
