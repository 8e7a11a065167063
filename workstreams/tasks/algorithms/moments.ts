/** Count, mean and sum of squared deviations from the mean of some numbers. */
export interface Moments {
  count: number;
  mean: number;
  squares: number;
}

export const NO_NUMBERS: Moments = { count: 0, mean: 0, squares: 0 };

/** With one more number, without the cancellation of the textbook formula: Welford, 1962. */
export function addNumber({ count, mean, squares }: Moments, number: number): Moments {
  const deviation = number - mean;
  const newMean = mean + deviation / (count + 1);
  return { count: count + 1, mean: newMean, squares: squares + deviation * (number - newMean) };
}

/** The moments of two lots of numbers together, for parallel work: Chan, Golub & LeVeque, 1979. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const count = a.count + b.count;
  if (count === 0) return NO_NUMBERS;
  const distance = b.mean - a.mean;
  return {
    count,
    mean: a.mean + (distance * b.count) / count,
    squares: a.squares + b.squares + (distance * distance * a.count * b.count) / count,
  };
}

/** Standard deviation of the population that the numbers are a sample of; 0 for fewer than two. */
export function standardDeviation({ count, squares }: Moments): number {
  return count < 2 ? 0 : Math.sqrt(squares / (count - 1));
}

/** Standard deviation of the mean itself; 0 for fewer than two numbers. */
export function standardError(moments: Moments): number {
  return moments.count < 2 ? 0 : standardDeviation(moments) / Math.sqrt(moments.count);
}
