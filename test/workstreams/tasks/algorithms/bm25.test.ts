import { expect, test } from 'vitest';
import { SearchIndex } from '../../../../workstreams/tasks/algorithms/bm25.ts';

const usual = { k1: 1.2, b: 0.75 };

function indexOf(...texts: string[]): SearchIndex {
  const index = new SearchIndex();
  for (const text of texts) index.add(text.split(' '));
  return index;
}

test('the document about the query comes first, those without its words not at all', () => {
  const index = indexOf(
    'a fast logger for json',
    'a slow train',
    'the logger of a ship sails fast',
    'nothing here',
  );
  expect(index.search(['fast', 'json', 'logger'], usual).map(({ document }) => document)).toEqual([0, 2]);
  expect(index.search(['absent'], usual)).toEqual([]);
  expect(index.vocabulary).toBe(13);
});

test('the score is that of the formula', () => {
  const index = indexOf('x x y', 'y');
  // One of two documents has x: ln(1 + 1.5 / 1.5); it occurs twice in a document of 3 words, 2 on average.
  const score = (Math.log(2) * 2 * 2.2) / (2 + 1.2 * (0.25 + 0.75 * 1.5));
  expect(index.search(['x'], usual)).toEqual([{ document: 0, score: expect.closeTo(score, 12) }]);
});

test('a word counts for more when it is rare, and in a shorter document', () => {
  const index = indexOf('common rare', 'common other', 'common more words than before');
  expect(index.search(['common', 'rare'], usual).map(({ document }) => document)).toEqual([0, 1, 2]);
});

test('equal documents are in the order they were added', () => {
  const index = indexOf('z', 'a b', 'a b', 'a b');
  expect(index.search(['a'], usual).map(({ document }) => document)).toEqual([1, 2, 3]);
});
