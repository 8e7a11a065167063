import { array, assert, constantFrom, property, shuffledSubarray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MERGED_SHAPES, mergeShapes } from '../../../src/analysis/patterns/merge.ts';
import { shapeOf } from '../../../src/analysis/patterns/shape.ts';
import { SAMPLE } from './sample.ts';

/** The groups as sets of shapes, in an order that does not depend on how they were made. */
function partition(shapes: readonly string[], known: readonly (string | null)[] = []): string[] {
  return mergeShapes(shapes, known)
    .map(({ members }) =>
      members
        .map((member) => shapes[member] ?? '')
        .toSorted()
        .join('\n'),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
}

const templates = (...shapes: string[]): string[] => mergeShapes(shapes).map(({ template }) => template);

test('words that follow a word such as "module" are values once there are three', () => {
  const two = ['Cannot find module lodash', 'Cannot find module express'];
  expect(templates(...two)).toEqual(two);
  expect(templates(...two, 'Cannot find module zod')).toEqual(['Cannot find module <*>']);
});

test('without such a word it takes more of them, the fewer words they have in common', () => {
  const names = ['alpha', 'beta', 'gamma', 'delta', 'kappa'];
  expect(templates(...names.map((name) => `${name} is not what we wanted`))).toHaveLength(1);
  expect(templates(...names.map((name) => `${name} stopped`))).toHaveLength(5);
});

test('the name and the code of an error are never values', () => {
  const codes = [
    'ECONNRESET',
    'ETIMEDOUT',
    'EPIPE',
    'ENOTFOUND',
    'EACCES',
    'TypeError',
    'ValueError',
    'TS2345',
  ];
  expect(templates(...codes.map((code) => `request for user failed with ${code}`))).toHaveLength(
    codes.length,
  );
});

test('several places become holes one after the other', () => {
  const shapes = ['a', 'b', 'c'].flatMap((file) =>
    ['x', 'y', 'z'].map((user) => `no access to file ${file} for user ${user}`),
  );
  expect(templates(...shapes)).toEqual(['no access to file <*> for user <*>']);
});

test('shapes with nothing in common but their length stay apart', () => {
  expect(
    templates('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'),
  ).toHaveLength(10);
});

test('what was one group stays one, whatever its shapes are', () => {
  expect(partition(['disk full', 'tape empty', 'disk slow'], ['p-1', 'p-1', null])).toEqual([
    'disk full\ntape empty',
    'disk slow',
  ]);
});

test('each shape beyond the limit is a group of its own', () => {
  const words = 'abcdefghij';
  const shapes = Array.from(
    { length: MERGED_SHAPES + 50 },
    (_, index) => `cannot find module ${Array.from(String(index), (digit) => words[Number(digit)]).join('')}`,
  );
  expect(mergeShapes(shapes)).toHaveLength(51);
});

const SHAPES = [...new Set(Object.values(SAMPLE).flat().map(shapeOf))];

describe('the groups do not depend on', () => {
  test('the order of the shapes', () => {
    const expected = partition(SHAPES);
    assert(
      property(shuffledSubarray(SHAPES, { minLength: SHAPES.length }), (shuffled) => {
        expect(partition(shuffled)).toEqual(expected);
      }),
      { numRuns: 10, seed: 1 },
    );
  });

  test('how many of them came at a time', () => {
    const words = ['a', 'b', 'c', 'd', 'e_1', 'F', '<*>'];
    const shape = array(constantFrom(...words), { minLength: 2, maxLength: 3 }).map(
      (each) => `no row for ${each.join(' in table ')}`,
    );
    assert(
      property(array(shape, { minLength: 1, maxLength: 40 }), (all) => {
        const shapes = [...new Set(all)];
        expect(inRuns(shapes, 4)).toEqual(partition(shapes));
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

/** The groups after the shapes came a few at a time, each time with the groups that there were. */
function inRuns(shapes: readonly string[], size: number): string[] {
  const groupOf = new Map<string, string>();
  for (let from = 0; from < shapes.length; from += size) {
    const seen = shapes.slice(0, from + size);
    for (const { members } of mergeShapes(
      seen,
      seen.map((shape) => groupOf.get(shape) ?? null),
    )) {
      const all = members.map((member) => seen[member] ?? '');
      const name = all.toSorted().at(0) ?? '';
      for (const each of all) groupOf.set(each, name);
    }
  }
  return partition(
    shapes,
    shapes.map((shape) => groupOf.get(shape) ?? null),
  );
}
