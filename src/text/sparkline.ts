const BARS = '▁▂▃▄▅▆▇█';

/** Values as bars in a line, the least as the lowest and the greatest as the highest; empty for none. */
export function sparkline(values: readonly number[]): string {
  const least = values.reduce((found, value) => Math.min(found, value), Number.POSITIVE_INFINITY);
  const greatest = values.reduce((found, value) => Math.max(found, value), Number.NEGATIVE_INFINITY);
  const range = greatest - least;
  const bars = values.map((value) => {
    // The range of numbers that are far apart may be infinite.
    const share = range === 0 ? 0 : Number.isFinite(range) ? (value - least) / range : value > 0 ? 1 : 0;
    return BARS.charAt(Math.round(share * (BARS.length - 1)));
  });
  return bars.join('');
}

/** Step and value. */
type Point = [step: number, value: number];

/**
 * About so many points of a series, spread evenly, in their order: always the first, the last, the least and the greatest.
 * @param most points that are taken by their place; the four come on top.
 */
export function thinned(points: readonly Point[], most: number): Point[] {
  const stride = Math.ceil(points.length / most);
  if (stride <= 1) return [...points];
  let [least, greatest] = [0, 0];
  for (const [index, [, value]] of points.entries()) {
    if (value < (points[least]?.[1] ?? value)) least = index;
    if (value > (points[greatest]?.[1] ?? value)) greatest = index;
  }
  const extremes = new Set([least, greatest, points.length - 1]);
  return points.filter((_, index) => index % stride === 0 || extremes.has(index));
}
