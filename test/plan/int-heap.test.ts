import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntHeap } from '../../src/plan/int-heap.ts';

test('an empty heap has nothing to give', () => {
  const heap = new IntHeap();
  expect(heap.size).toBe(0);
  expect(heap.peek()).toBeUndefined();
  expect(heap.pop()).toBeUndefined();
});

test('equal numbers are kept as often as they were pushed', () => {
  const heap = new IntHeap();
  for (const value of [2, 1, 2, 1]) heap.push(value);
  expect([heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([1, 1, 2, 2, undefined]);
});

test('whatever is pushed and popped, the smallest comes first', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { freq: 2 })), (operations) => {
      const heap = new IntHeap();
      const model: number[] = [];
      for (const value of operations) {
        if (value === null) {
          expect(heap.pop()).toBe(model.shift());
        } else {
          heap.push(value);
          model.push(value);
          model.sort((a, b) => a - b);
        }
        expect(heap.peek()).toBe(model[0]);
        expect(heap.size).toBe(model.length);
      }
    }),
  );
});
