import { expect, test } from 'vitest';
import { nearest } from '../../src/text/nearest.ts';

const known = ['id', 'title', 'depends_on', 'steps', 'timeout_seconds', 'parallel_ok'];

test.each([
  ['titel', 'title'],
  ['step', 'steps'],
  ['Steps', 'steps'],
  ['dependsOn', 'depends_on'],
  ['depends-on', 'depends_on'],
  ['timeout', 'timeout_seconds'],
  ['ID', 'id'],
  ['colour', null],
  ['t', null],
  ['', null],
  ['x'.repeat(100_000), null],
])('%s: %s', (word, expected) => {
  expect(nearest(word, known)).toBe(expected);
});

test('the nearest of several, and never the word itself', () => {
  expect(nearest('ws-biuld', ['ws-guild', 'ws-build'])).toBe('ws-build');
  expect(nearest('build', ['build', 'built'])).toBe('built');
  expect(nearest('pack', ['package-a', 'package-b'])).toBe(null);
  expect(nearest('anything', [])).toBe(null);
});

test('a list that has changed since is read again', () => {
  const words = ['alpha'];
  expect(nearest('betta', words)).toBe(null);
  words.push('beta');
  expect(nearest('betta', words)).toBe('beta');
});
