/** Shares of few cases: their intervals, their comparison, and what many comparisons at once are worth. */
import { gammaln } from 'simple-statistics';

/** Cases with and without a property, in two groups. */
export interface FourfoldTable {
  here: { with: number; without: number };
  elsewhere: { with: number; without: number };
}

/** Counts as as likely what differs by rounding only, as in R. */
const ROUNDING = 1 + 1e-7;

/**
 * Fisher's exact test (1922), two-sided: how likely it is that two groups differ in a share as much as these by chance.
 * Adds up all tables with the same margins that are at most as likely, as R's `fisher.test` does.
 */
export function fisher({ here, elsewhere }: FourfoldTable): number {
  const size = here.with + here.without;
  const others = elsewhere.with + elsewhere.without;
  const cases = here.with + elsewhere.with;
  const likelihood = (count: number): number =>
    Math.exp(logChoose(size, count) + logChoose(others, cases - count) - logChoose(size + others, cases));
  const most = likelihood(here.with) * ROUNDING;
  let sum = 0;
  for (let count = Math.max(0, cases - others); count <= Math.min(size, cases); count += 1) {
    const each = likelihood(count);
    if (each <= most) sum += each;
  }
  return Math.min(1, sum);
}

const logFactorials = [0];

function logFactorial(count: number): number {
  for (let next = logFactorials.length; next <= count; next += 1)
    logFactorials.push((logFactorials[next - 1] ?? 0) + Math.log(next));
  return logFactorials[count] ?? 0;
}

const logChoose = (size: number, count: number): number =>
  logFactorial(size) - logFactorial(count) - logFactorial(size - count);

/**
 * The p-values adjusted by the method of Benjamini and Hochberg (1995), in the given order: among the findings with an
 * adjusted value of at most q, a share of q is chance. If there is nothing to be found, there is any finding with
 * probability q.
 */
export function benjaminiHochberg(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const adjusted = values.map(() => 1);
  let least = 1;
  for (const [position, index] of order.entries()) {
    const rank = values.length - position;
    least = Math.min(least, ((values[index] ?? 1) * values.length) / rank);
    adjusted[index] = least;
  }
  return adjusted;
}

/**
 * The 95 % interval of a share by Jeffreys' prior (Brown, Cai and DasGupta 2001, Statistical Science 16, 101–133): the
 * quantiles of Beta(cases + ½, others + ½), 0 and 1 where there are no cases and no others.
 */
export function jeffreys(cases: number, total: number): { low: number; high: number } {
  const [a, b] = [cases + 0.5, total - cases + 0.5];
  return {
    low: cases === 0 ? 0 : betaQuantile(0.025, a, b),
    high: cases === total ? 1 : betaQuantile(0.975, a, b),
  };
}

/** More steps than it takes to find a quantile to the last digits of a double. */
const STEPS = 100;

/** By the method of Newton, and by halving where that leaves the interval in which the quantile is. */
function betaQuantile(share: number, a: number, b: number): number {
  let [low, high] = [0, 1];
  let x = a / (a + b);
  for (let step = 0; step < STEPS && high - low > Number.EPSILON * x; step += 1) {
    const excess = incompleteBeta(x, a, b) - share;
    if (excess === 0) break;
    if (excess > 0) high = x;
    else low = x;
    const next = x - excess / Math.exp(logBetaTerm(x, a, b) - Math.log(x) - Math.log1p(-x));
    const isInside = next > low && next < high;
    if (isInside && Math.abs(next - x) <= Number.EPSILON * x) break;
    x = isInside ? next : (low + high) / 2;
  }
  return x;
}

/** The logarithm of x^a (1 − x)^b / B(a, b). */
const logBetaTerm = (x: number, a: number, b: number): number =>
  a * Math.log(x) + b * Math.log1p(-x) + gammaln(a + b) - gammaln(a) - gammaln(b);

/** How likely Student's t with these degrees of freedom is at least as far from 0 as `t`. */
export function studentTwoSided(t: number, freedom: number): number {
  return incompleteBeta(freedom / (freedom + t ** 2), freedom / 2, 0.5);
}

/**
 * The regularised incomplete beta function I_x(a, b), by the continued fraction 8.17.22 of the Digital Library of
 * Mathematical Functions (https://dlmf.nist.gov/8.17), on the side on which that converges quickly.
 */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  return (Math.exp(logBetaTerm(x, a, b)) / a) * continuedFraction(x, a, b);
}

const TERMS = 10_000;
const PRECISION = 1e-15;

/** Evaluated by the modified method of Lentz (Thompson and Barnett 1986), which goes from the front. */
function continuedFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = nonZero(1 - ((a + b) * x) / (a + 1));
  let value = 1 / d;
  d = 1 / d;
  for (let m = 1; m < TERMS; m += 1) {
    let factor = 1;
    for (const term of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / nonZero(1 + term * d);
      c = nonZero(1 + term / c);
      factor = c * d;
      value *= factor;
    }
    if (Math.abs(factor - 1) < PRECISION) break;
  }
  return value;
}

const nonZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);
