/** A measured value at a place, with its standard error. */
export interface Point {
  x: number;
  y: number;
  error: number;
}

/** The value of a line at x = 0, and its slope, each with its standard error. */
export interface Line {
  intercept: number;
  interceptError: number;
  slope: number;
  slopeError: number;
}

/**
 * The straight line through points with known errors by least squares: Press et al., "Numerical Recipes", section 15.2.
 * @param points with at least two different `x`.
 */
export function weightedLine(points: readonly Point[]): Line {
  const weights = points.map(({ error }) => 1 / error ** 2);
  const sum = (value: (point: Point) => number): number =>
    points.reduce((total, point, i) => total + (weights[i] ?? 0) * value(point), 0);
  const all = sum(() => 1);
  const meanX = sum(({ x }) => x) / all;
  const spread = sum(({ x }) => (x - meanX) ** 2);
  const slope = sum(({ x, y }) => (x - meanX) * y) / spread;
  return {
    intercept: sum(({ y }) => y) / all - slope * meanX,
    interceptError: Math.sqrt(1 / all + meanX ** 2 / spread),
    slope,
    slopeError: 1 / Math.sqrt(spread),
  };
}
