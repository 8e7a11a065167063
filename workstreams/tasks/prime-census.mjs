import { setImmediate } from 'node:timers/promises';
import { primeSegments } from './algorithms/segmented-sieve.mjs';

/** π(10^n), the number of primes up to 10^n: https://oeis.org/A006880 */
const KNOWN_COUNTS = [0, 4, 25, 168, 1229, 9592, 78498, 664579, 5761455, 50847534];

/**
 * Counts primes, twin primes and the largest gap up to each power of ten.
 * @param {{ powers: number }} input the last power of ten, from 1 to 9.
 * @param {import('../../src/domain/step-context.ts').StepContext} context
 * @returns {Promise<import('../../src/domain/step-context.ts').ModuleResult>}
 */
export default async function countPrimes({ powers }, context) {
  const limit = 10 ** powers;
  const census = [];
  let primes = 0;
  let twins = 0;
  let gap = 0;
  let last = 2;
  let power = 1;
  for (const segment of primeSegments(limit)) {
    for (const prime of segment) {
      while (prime > 10 ** power) census.push(row(power++, primes, twins, gap));
      primes += 1;
      if (prime - last === 2) twins += 1;
      if (prime - last > gap) gap = prime - last;
      last = prime;
    }
    context.progress(last / limit, `${primes} primes up to ${last}`);
    await setImmediate();
    context.signal.throwIfAborted();
  }
  census.push(row(power, primes, twins, gap));
  context.log.info({ limit, primes }, 'counted');
  return { output: { limit, primes, twin_primes: twins, largest_gap: gap, census } };
}

/**
 * @param {number} power
 * @param {number} primes
 * @param {number} twins
 * @param {number} gap
 */
function row(power, primes, twins, gap) {
  if (primes !== KNOWN_COUNTS[power]) throw new Error(`There are not ${primes} primes up to 10^${power}.`);
  const estimate = 10 ** power / Math.log(10 ** power);
  return {
    up_to: 10 ** power,
    primes,
    twin_primes: twins,
    largest_gap: gap,
    primes_by_estimate: Number((primes / estimate).toFixed(4)),
  };
}
