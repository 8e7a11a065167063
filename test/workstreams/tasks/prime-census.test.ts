import { expect, test } from 'vitest';
import countPrimes from '../../../workstreams/tasks/prime-census.mjs';
import { makeContext } from '../make-context.ts';

test('counts up to each power of ten', async () => {
  const { output } = await countPrimes({ powers: 6 }, makeContext());
  expect(output).toMatchObject({
    limit: 1_000_000,
    primes: 78498,
    twin_primes: 8169,
    largest_gap: 114,
    census: [
      { up_to: 10, primes: 4, twin_primes: 2, largest_gap: 2 },
      { up_to: 100, primes: 25, twin_primes: 8, largest_gap: 8 },
      { up_to: 1000, primes: 168, twin_primes: 35, largest_gap: 20 },
      { up_to: 10_000, primes: 1229, twin_primes: 205, largest_gap: 36 },
      { up_to: 100_000, primes: 9592, twin_primes: 1224, largest_gap: 72 },
      { up_to: 1_000_000, primes: 78498, twin_primes: 8169, largest_gap: 114 },
    ],
  });
});

test('stops when it is told to', async () => {
  const signal = AbortSignal.abort(new Error('the time is up'));
  await expect(countPrimes({ powers: 9 }, makeContext({ signal }))).rejects.toThrow('the time is up');
});
