import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdIndex } from '../../src/text/id-index.ts';

test('whatever the ids are, each is found by the number that it was first added with', () => {
  const ids = fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.nat({ max: 20 }).map(String)));
  fc.assert(
    fc.property(ids, fc.string({ maxLength: 2 }), (all, other) => {
      const index = new IdIndex(all.length, (number) => all[number] ?? '');
      const model = new Map<string, number>();
      for (const [number, id] of all.entries()) {
        expect(index.add(number)).toBe(model.get(id) ?? null);
        if (!model.has(id)) model.set(id, number);
      }
      for (const id of [...all, other]) expect(index.numberOf(id)).toBe(model.get(id) ?? null);
    }),
  );
});

test('it has room for as many as were announced, and none is in an empty one', () => {
  for (const most of [1, 2, 3, 64, 1000]) {
    const index = new IdIndex(most, (number) => `w-${number}`);
    for (let number = 0; number < most; number++) expect(index.add(number)).toBeNull();
    expect([index.numberOf(`w-${most - 1}`), index.numberOf(`w-${most}`)]).toEqual([most - 1, null]);
  }
  expect(new IdIndex(0, () => '').numberOf('')).toBeNull();
});
