/** Odd numbers in a segment: as many bytes as fit in the cache next to the processor. */
const SEGMENT = 2 ** 17;

/**
 * Yields the primes up to a limit, segment by segment, so that the memory in use is that of √limit: Bays & Hudson, "The
 * segmented sieve of Eratosthenes and primes in arithmetic progressions to 10^12", 1977. Only odd numbers are kept.
 * @param {number} limit up to 2^53.
 * @returns {Generator<Float64Array, void>} each with the primes of one segment in order.
 */
export function* primeSegments(limit) {
  if (limit >= 2) yield Float64Array.of(2);
  const factors = oddPrimes(Math.floor(Math.sqrt(limit)));
  // The next multiple of each factor to strike out, as an offset in odd numbers from the segment's start.
  const offsets = Float64Array.from(factors, (factor) => (factor * factor - 1) / 2);
  const composite = new Uint8Array(SEGMENT);
  const found = new Float64Array(SEGMENT);
  for (let start = 1; start <= limit; start += 2 * SEGMENT) {
    composite.fill(0);
    if (start === 1) composite[0] = 1;
    strikeOut(composite, factors, offsets);
    const size = Math.min(SEGMENT, Math.floor((limit - start) / 2) + 1);
    let count = 0;
    for (let i = 0; i < size; i += 1) {
      if (composite[i] === 0) found[count++] = start + 2 * i;
    }
    yield found.subarray(0, count);
  }
}

/**
 * @param {Uint8Array} composite
 * @param {number[]} factors
 * @param {Float64Array} offsets
 */
function strikeOut(composite, factors, offsets) {
  const size = composite.length;
  for (const [index, factor] of factors.entries()) {
    let i = offsets[index] ?? 0;
    for (; i < size; i += factor) composite[i] = 1;
    offsets[index] = i - size;
  }
}

/**
 * The odd primes up to a small limit, by the plain sieve.
 * @param {number} limit
 */
function oddPrimes(limit) {
  const composite = new Uint8Array(limit + 1);
  const primes = [];
  for (let n = 3; n <= limit; n += 2) {
    if (composite[n] === 1) continue;
    primes.push(n);
    for (let multiple = n * n; multiple <= limit; multiple += 2 * n) composite[multiple] = 1;
  }
  return primes;
}
