import fc from 'fast-check';
import { expect, test } from 'vitest';
import { radixSort } from '../../../../workstreams/tasks/algorithms/radix-sort.mjs';

test('sorts as the built-in sort does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 0xffffffff })), (numbers) => {
      const sorted = Uint32Array.from(numbers);
      radixSort(sorted);
      expect([...sorted]).toEqual(numbers.toSorted((a, b) => a - b));
    }),
  );
});
