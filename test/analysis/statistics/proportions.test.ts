import { describe, expect, test } from 'vitest';
import {
  benjaminiHochberg,
  fisher,
  jeffreys,
  studentTwoSided,
} from '../../../src/analysis/statistics/proportions.ts';

const table = ([a, b]: [number, number], [c, d]: [number, number]) => ({
  here: { with: a, without: b },
  elsewhere: { with: c, without: d },
});

describe('Fisher’s exact test', () => {
  test.each<[string, [number, number], [number, number], number]>([
    ['the lady tasting tea, as in R’s fisher.test', [3, 1], [1, 3], 0.48571428571428565],
    ['twins of criminals, as in R’s fisher.test', [10, 2], [3, 15], 0.0005367241191434357],
    ['dieting, as in Wikipedia', [1, 9], [11, 3], 0.0027594561852200836],
    ['whales, as in scipy.stats.fisher_exact', [8, 2], [1, 5], 0.034965034965034975],
    ['an empty cell', [0, 5], [40, 60], 0.15387475763159247],
    ['no difference', [2, 23], [5, 30], 0.6881775189320791],
    ['nothing', [0, 0], [4, 5], 1],
  ])('finds in %s what others find', (_, here, elsewhere, p) => {
    expect(fisher(table(here, elsewhere))).toBeCloseTo(p, 12);
    expect(fisher(table(elsewhere, here))).toBeCloseTo(p, 12);
  });
});

test('adjusted p-values are those of R’s p.adjust, in the given order', () => {
  // The fifteen hypotheses of Benjamini and Hochberg (1995), section 3.2, adjusted by scipy.
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];
  const adjusted = [
    0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714285714286, 0.06385714285714286, 0.0645,
    0.07650000000000001, 0.486, 0.5811818181818181, 0.7148749999999999, 0.7532307692307693,
    0.8132142857142857, 1,
  ];
  expect(benjaminiHochberg(published).map(round)).toEqual(adjusted.map(round));
  expect(benjaminiHochberg(published.toReversed()).map(round)).toEqual(adjusted.toReversed().map(round));
  expect(benjaminiHochberg([])).toEqual([]);
});

const round = (value: number): number => Number(value.toFixed(12));

test.each([
  // Quantiles of scipy.stats.beta.
  [1, 10, 0.011011673763161133, 0.3813147710666164],
  [5, 10, 0.22352867025270517, 0.7764713297472947],
  [0, 10, 0, 0.21719626750921053],
  [10, 10, 0.7828037324907894, 1],
  [1, 1, 0.14674631630957513, 1],
  [2, 100, 0.004178812447471804, 0.06260584878481136],
  [300, 1000, 0.27220615793616126, 0.3289496539247107],
  [20, 100_000, 0.00012607693845118753, 0.00030278653700732585],
])('the interval of %d in %d is that of Jeffreys', (cases, total, low, high) => {
  const interval = jeffreys(cases, total);
  expect(interval.low).toBeCloseTo(low, 12);
  expect(interval.high).toBeCloseTo(high, 12);
});

test.each([
  // Twice scipy.stats.t.sf.
  [2, 10, 0.07338803477074037],
  [4.5, 29, 0.00010153488806485543],
  [0, 3, 1],
  [12, 4, 0.000276428548502973],
])('t = %d with %d degrees of freedom is as likely as in scipy', (t, freedom, p) => {
  expect(studentTwoSided(t, freedom)).toBeCloseTo(p, 12);
});
