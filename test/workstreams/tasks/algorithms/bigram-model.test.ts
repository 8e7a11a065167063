import { expect, test } from 'vitest';
import { BigramModel } from '../../../../workstreams/tasks/algorithms/bigram-model.ts';
import { Random } from '../../../../workstreams/tasks/lib/random.ts';

const training = ['the cat sat', 'the cat ran', 'the dog sat', 'a dog ran', 'a bird sang'].map((text) =>
  text.split(' '),
);
const model = new BigramModel(training);
const vocabulary = ['the', 'cat', 'sat', 'ran', 'dog', 'a'];

test('words that occur once share one entry', () => {
  expect(model.vocabulary).toBe(6);
  expect(model.probability('a', 'bird', 0.5)).toBe(model.probability('a', 'unheard', 0.5));
});

test.each(['the', 'cat', 'bird', null])('what may follow %j adds up to one', (before) => {
  const outcomes = [...vocabulary, 'unheard', null];
  const sum = outcomes.reduce((total, word) => total + model.probability(before, word, 0.75), 0);
  expect(sum).toBeCloseTo(1, 12);
});

test('a pair that was seen often is more likely than one that was not', () => {
  expect(model.probability('the', 'cat', 0.5)).toBeGreaterThan(model.probability('the', 'dog', 0.5));
  expect(model.probability('the', 'dog', 0.5)).toBeGreaterThan(model.probability('the', 'ran', 0.5));
  expect(model.probability('the', 'ran', 0.5)).toBeGreaterThan(0);
});

test('the probability is that of the formula', () => {
  // "the" has followers cat (2), dog (1); cat follows 1 of 14 different pairs; 8 words can follow at all.
  expect(model.pairs).toBe(14);
  const general = (1 + 1) / (14 + 8);
  expect(model.probability('the', 'cat', 0.5)).toBeCloseTo((2 - 0.5) / 3 + ((0.5 * 2) / 3) * general, 12);
});

test('text like that of the training is less surprising', () => {
  const alike = model.perplexity([['the', 'cat', 'sat']], 0.5);
  expect(alike).toBeLessThan(model.perplexity([['sat', 'the', 'a']], 0.5));
  const probabilities = [
    ['the', null],
    ['cat', 'the'],
    ['sat', 'cat'],
    [null, 'sat'],
  ] as const;
  const product = probabilities.reduce(
    (all, [word, before]) => all * model.probability(before, word, 0.5),
    1,
  );
  expect(alike).toBeCloseTo(product ** (-1 / 4), 10);
});

test('the best discount comes from the numbers of rare pairs', () => {
  // Nine pairs occur once; start-a, the-cat, sat-end and ran-end twice.
  expect(model.bestDiscount).toBeCloseTo(9 / (9 + 2 * 4), 12);
  expect(new BigramModel([]).bestDiscount).toBe(0.5);
});

test('sentences follow pairs that were seen, and the seed', () => {
  const random = Random.fromSeed(1);
  for (let i = 0; i < 50; i += 1) {
    const sentence = model.sentence(random, 3);
    expect(sentence.length).toBeLessThanOrEqual(3);
    expect(['the', 'a']).toContain(sentence[0]);
    expect(vocabulary).toEqual(expect.arrayContaining(sentence));
  }
  expect(model.sentence(Random.fromSeed(5), 9)).toEqual(model.sentence(Random.fromSeed(5), 9));
});
