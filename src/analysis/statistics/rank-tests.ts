/** Tests that compare ranks, so that neither the shape of a distribution nor single outliers decide. */

/**
 * The two-sided test of Mann and Whitney (1947): whether the values of one sample tend to be larger than the other's.
 * The p-value is exact, with ties too: it is the share of all ways to divide the values into samples of these sizes whose
 * rank sum is as far from its mean. The sums are counted by the shift algorithm of Streitberg and Röhmel (1986).
 * @returns p from 0 to 1; 1 where one sample is empty.
 */
export function mannWhitney(before: readonly number[], after: readonly number[]): number {
  if (before.length === 0 || after.length === 0) return 1;
  const ranks = doubledRanks([...before, ...after]);
  const [size, first] = before.length <= after.length ? [before.length, 0] : [after.length, before.length];
  const observed = sumOf(ranks, first, first + size);
  const { counts, total } = rankSums(ranks, size);
  const mean = size * (ranks.length + 1);
  const distance = Math.abs(observed - mean);
  let extreme = 0;
  for (let sum = 0; sum < counts.length; sum += 1)
    if (Math.abs(sum - mean) >= distance) extreme += counts[sum] ?? 0;
  return Math.min(1, extreme / total);
}

/** Where a series changed its level, and how likely chance alone does that. */
export interface ChangePoint {
  /** Index of the first value of the new level. */
  index: number;
  p: number;
}

/**
 * The test of Pettitt (1979, Applied Statistics 28, 126–135) for one change of level at an unknown place, with its
 * approximate p-value, which is too large rather than too small for short series.
 * @returns null for fewer than two values.
 */
export function pettitt(values: readonly number[]): ChangePoint | null {
  const size = values.length;
  const [most] = divisionsOf(values).toSorted((a, b) => b.distance - a.distance);
  if (most === undefined) return null;
  const p = Math.min(1, 2 * Math.exp((-6 * most.distance ** 2) / (size ** 3 + size ** 2)));
  return { index: most.index, p };
}

/**
 * Index of the likeliest first value of the new level in a series of which it is known that it changed: where the rank sums
 * of both sides differ most for their sizes. (The test of Pettitt looks rather in the middle of a series.)
 * @param least the fewest values on each side.
 * @returns null for a series that is shorter than two such sides.
 */
export function likeliestChange(values: readonly number[], least: number): number | null {
  const size = values.length;
  const strength = ({ index, distance }: Division): number => distance / Math.sqrt(index * (size - index));
  const [most] = divisionsOf(values)
    .filter(({ index }) => index >= least && index <= size - least)
    .toSorted((a, b) => strength(b) - strength(a));
  return most?.index ?? null;
}

/** A series in two parts. */
interface Division {
  /** Of the first value of the second part. */
  index: number;
  /** Between the doubled rank sum of the first part and its mean, which is Pettitt's |U|. */
  distance: number;
}

function divisionsOf(values: readonly number[]): Division[] {
  const ranks = doubledRanks(values);
  let sum = 0;
  return ranks.slice(0, -1).map((rank, position) => {
    sum += rank;
    const index = position + 1;
    return { index, distance: Math.abs(sum - index * (values.length + 1)) };
  });
}

/** The chance at which a change point is believed: none in 900 series without one. */
const CHANGE_P = 0.001;

/** The fewest values that make a level. */
const LEVEL = 4;

/** All changes of level in order: the test of Pettitt at p < 0.001, repeated on both sides of each change found. */
export function changePoints(values: readonly number[]): ChangePoint[] {
  const found = pettitt(values);
  if (found === null || found.p >= CHANGE_P) return [];
  if (found.index < LEVEL || values.length - found.index < LEVEL) return [];
  const later = changePoints(values.slice(found.index));
  return [
    ...changePoints(values.slice(0, found.index)),
    found,
    ...later.map(({ index, p }) => ({ index: index + found.index, p })),
  ];
}

/** Twice the rank of each value, from 2; equal values share the mean of their ranks, so that twice of it is whole. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = values.map(() => 0);
  for (let start = 0; start < order.length; ) {
    const value = values[order[start] ?? 0];
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === value) end += 1;
    for (const index of order.slice(start, end)) ranks[index] = start + 1 + end;
    start = end;
  }
  return ranks;
}

function sumOf(ranks: readonly number[], start: number, end: number): number {
  let sum = 0;
  for (let index = start; index < end; index += 1) sum += ranks[index] ?? 0;
  return sum;
}

interface RankSums {
  /** By rank sum: in how many ways a sample has it. */
  counts: Float64Array;
  total: number;
}

/** Of samples without ties, by their sizes: always the same, and most samples are so. */
const untied = new Map<string, RankSums>();

function rankSums(ranks: readonly number[], size: number): RankSums {
  if (new Set(ranks).size < ranks.length) return countRankSums(ranks, size);
  const key = `${size} of ${ranks.length}`;
  const known = untied.get(key);
  if (known !== undefined) return known;
  const sums = countRankSums(ranks, size);
  untied.set(key, sums);
  return sums;
}

/** Counts the samples of each size by their rank sum, taking in one rank after the other. */
function countRankSums(ranks: readonly number[], size: number): RankSums {
  const sorted = ranks.toSorted((a, b) => b - a);
  const width = sumOf(sorted, 0, size) + 1;
  const bySize = Array.from({ length: size + 1 }, () => new Float64Array(width));
  if (bySize[0] !== undefined) bySize[0][0] = 1;
  for (const rank of ranks)
    for (let taken = size; taken > 0; taken -= 1) shift(bySize[taken - 1], bySize[taken], rank);
  const counts = bySize[size] ?? new Float64Array(width);
  let total = 0;
  for (const count of counts) total += count;
  return { counts, total };
}

/** Adds the samples without a rank, moved by it, to those of one more. */
function shift(smaller: Float64Array | undefined, larger: Float64Array | undefined, rank: number): void {
  if (smaller === undefined || larger === undefined) return;
  for (let sum = larger.length - 1; sum >= rank; sum -= 1)
    larger[sum] = (larger[sum] ?? 0) + (smaller[sum - rank] ?? 0);
}
