import { expect, test } from 'vitest';
import { lastStates } from '../../src/text/printable.ts';

test.each([
  ['a line that was written over', '10 %\r50 %\r100 %', '100 %'],
  ['what is longer stays', 'downloading\rdone', 'doneloading'],
  ['the end of a line', 'one\r\ntwo\r\n', 'one\ntwo\n'],
  ['a line that goes back and writes nothing', 'one\r', 'one'],
  ['a line that was erased', 'downloading\r\u001b[Kdone', '\u001b[Kdone'],
  ['each line alone', 'a\rb\nlong\rx\ny', 'b\nxong\ny'],
  ['characters of two units', '🎉🎉🎉\rx', 'x🎉🎉'],
  ['text without any', 'as it is\n', 'as it is\n'],
])('%s', (_, text, shown) => {
  expect(lastStates(text)).toBe(shown);
});

test('a megabyte of states is no more work than its length', () => {
  expect(lastStates(`${'x\r'.repeat(500_000)}end`)).toBe('end');
});
