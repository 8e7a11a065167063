import { expect, test } from 'vitest';
import { words } from '../../../../workstreams/tasks/lib/words.ts';

test('splits at everything that is neither letter nor digit, in any script', () => {
  expect(words("Don't use foo_bar-2; Größe ≠ ДА!")).toEqual([
    'don',
    't',
    'use',
    'foo',
    'bar',
    '2',
    'größe',
    'да',
  ]);
  expect(words(' – ')).toEqual([]);
});
