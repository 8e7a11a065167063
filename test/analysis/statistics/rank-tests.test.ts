import { describe, expect, test } from 'vitest';
import {
  changePoints,
  likeliestChange,
  mannWhitney,
  pettitt,
} from '../../../src/analysis/statistics/rank-tests.ts';
import { seededRandom } from '../../kit/random.ts';

describe('the test of Mann and Whitney', () => {
  test.each([
    // The example in the documentation of scipy.stats.mannwhitneyu.
    [[19, 22, 16, 29, 24], [20, 11, 17, 12], 1 / 9],
    // Hollander and Wolfe (1973), p. 69, the example of R's wilcox.test.
    [
      [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
      [1.15, 0.88, 0.9, 0.74, 1.21],
      0.2544122544122544,
    ],
    // With ties: all 1,716 divisions, counted by scipy.stats.permutation_test.
    [[1, 1, 2, 2, 2, 3, 5], [2, 3, 3, 4, 5, 5], 0.0780885780885781],
  ])('finds in %j and %j what others find', (before, after, p) => {
    expect(mannWhitney(before, after)).toBeCloseTo(p, 12);
    expect(mannWhitney(after, before)).toBeCloseTo(p, 12);
  });

  test('can find no less than 2 of 70 in four values each', () => {
    expect(mannWhitney([1, 2, 3, 4], [5, 6, 7, 8])).toBeCloseTo(2 / 70, 12);
  });

  test('finds the least probability in five values beyond thirty', () => {
    const before = Array.from({ length: 30 }, (_, index) => index);
    expect(mannWhitney(before, [40, 41, 42, 43, 44])).toBeCloseTo(2 / 324_632, 15);
  });

  test('finds nothing in equal values, and nothing in none', () => {
    expect(mannWhitney([1, 1, 1, 1], [1, 1, 1, 1])).toBe(1);
    expect(mannWhitney([], [1, 2])).toBe(1);
  });

  test('counts every division of tied values once', () => {
    const random = seededRandom(11);
    const values = Array.from({ length: 11 }, () => Math.floor(random() * 4));
    const all = divisions(values, 4).map(([first, second]) => rankSum(first, second));
    const mean = (4 * 12) / 2;
    const distance = Math.abs(rankSum(values.slice(0, 4), values.slice(4)) - mean);
    const share = all.filter((sum) => Math.abs(sum - mean) >= distance).length / all.length;
    expect(all).toHaveLength(330);
    expect(mannWhitney(values.slice(0, 4), values.slice(4))).toBeCloseTo(share, 12);
  });
});

/** All ways to take `size` of the values, each with those that are left. */
function divisions(values: readonly number[], size: number): [number[], number[]][] {
  const [head, ...tail] = values;
  if (head === undefined) return size === 0 ? [[[], []]] : [];
  return [
    ...divisions(tail, size - 1).map(([some, rest]): [number[], number[]] => [[head, ...some], rest]),
    ...divisions(tail, size).map(([some, rest]): [number[], number[]] => [some, [head, ...rest]]),
  ];
}

function rankSum(sample: readonly number[], rest: readonly number[]): number {
  const all = [...sample, ...rest];
  const rank = (value: number): number =>
    all.filter((other) => other < value).length + (all.filter((other) => other === value).length + 1) / 2;
  return sample.reduce((sum, value) => sum + rank(value), 0);
}

/** Yearly flow of the Nile at Aswan from 1871 (Cobb 1978), which the dam changed at the end of 1898. */
const NILE = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958,
  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020,
  1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040,
  759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
  744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];

describe('the test of Pettitt', () => {
  test('finds the year in which the Nile changed', () => {
    const found = pettitt(NILE);
    expect(1871 + (found?.index ?? 0)).toBe(1899);
    expect(found?.p).toBeLessThan(1e-6);
  });

  test('finds several changes one by one, in order', () => {
    const random = seededRandom(5);
    const series = [10, 12, 11].flatMap((level) => Array.from({ length: 25 }, () => level + random() / 4));
    expect(changePoints(series).map(({ index }) => index)).toEqual([25, 50]);
  });

  test('is not asked where a change near the end is: the likeliest place is, with enough values on each side', () => {
    const series = [...Array.from({ length: 40 }, (_, index) => (index + 1) % 5), 9, 8, 9, 9, 8];
    expect(likeliestChange(series, 4)).toBe(40);
    expect(likeliestChange(series, 6)).toBeLessThan(40);
    expect(likeliestChange([1, 2, 3], 2)).toBeNull();
  });

  test('finds nothing in equal values, in few and in none', () => {
    expect(changePoints(Array.from({ length: 50 }, () => 3))).toEqual([]);
    expect(changePoints([1, 1, 1, 9, 9, 9])).toEqual([]);
    expect(pettitt([1])).toBeNull();
  });
});
