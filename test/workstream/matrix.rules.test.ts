/** `include` and `exclude`, as GitHub describes them for the matrices of its workflows. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/domain/json.ts';
import { matrixOf, membersOf } from '../../src/workstream/matrix.ts';

const members = (written: JsonObject): JsonObject[] => {
  const matrix = matrixOf(written);
  if (matrix === null) throw new Error('it is no matrix');
  return membersOf(matrix).map(({ values }) => values);
};

test('the example of GitHub’s documentation for include', () => {
  const include = [
    { color: 'green' },
    { color: 'pink', animal: 'cat' },
    { fruit: 'apple', shape: 'circle' },
    { fruit: 'banana' },
    { fruit: 'banana', animal: 'cat' },
  ];
  expect(members({ fruit: ['apple', 'pear'], animal: ['cat', 'dog'], include })).toEqual([
    { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
    { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
    { fruit: 'pear', animal: 'cat', color: 'pink' },
    { fruit: 'pear', animal: 'dog', color: 'green' },
    { fruit: 'banana' },
    { fruit: 'banana', animal: 'cat' },
  ]);
});

test('the example of GitHub’s documentation for exclude', () => {
  const matrix = {
    os: ['macos-latest', 'windows-latest'],
    version: [12, 14, 16],
    environment: ['staging', 'production'],
    exclude: [
      { os: 'macos-latest', version: 12, environment: 'production' },
      { os: 'windows-latest', version: 16 },
    ],
  };
  const found = members(matrix);
  expect(found).toHaveLength(9);
  expect(found).not.toContainEqual({ os: 'macos-latest', version: 12, environment: 'production' });
  expect(found.filter(({ os, version }) => os === 'windows-latest' && version === 16)).toEqual([]);
});

describe('include', () => {
  test('alone makes one member of each element', () => {
    const include = [{ site: 'production', datacenter: 'site-a' }, { site: 'staging' }, { site: 'staging' }];
    expect(members({ include })).toEqual(include);
  });

  test('brings back what was excluded, without the values that other elements add', () => {
    const include = [{ a: 2, extra: 'x' }, { extra: 'all' }];
    expect(members({ a: [1, 2], exclude: [{ a: 2 }], include })).toEqual([
      { a: 1, extra: 'all' },
      { a: 2, extra: 'x' },
    ]);
  });

  test('replaces what an element before it added, and never a value of the lists', () => {
    const include = [{ b: 1 }, { b: 2 }, { a: 1, b: 3 }, { a: 9, b: 4 }];
    expect(members({ a: [1], include })).toEqual([
      { a: 1, b: 3 },
      { a: 9, b: 4 },
    ]);
  });

  test('adds nothing to what another element made', () => {
    expect(members({ a: [1], include: [{ a: 2 }, { a: 2, b: 1 }] })).toEqual([
      { a: 1 },
      { a: 2 },
      { a: 2, b: 1 },
    ]);
  });
});

describe('values are compared as GitHub compares them', () => {
  test.each<[string, Json, Json, boolean]>([
    ['texts without regard to case', 'Linux', 'linux', true],
    ['a number and its text', 3, '3', true],
    ['a version and a number', '3.10', 3.1, true],
    ['true and 1', true, 1, true],
    ['null and an empty text', null, '', true],
    ['a text and a number', 'x', 0, false],
    ['an object and a scalar', { a: 1 }, 1, false],
    ['an object by the fields that are given', { name: 'x', version: 1 }, { version: 1 }, true],
    ['an object with another field', { name: 'x', version: 1 }, { version: 2 }, false],
    ['an array by its elements', [1, 2, 3], [1, 2], true],
    ['an array in another order', [1, 2], [2, 1], false],
  ])('%s', (_what, value, excluded, isExcluded) => {
    expect(members({ a: [value, 'other'], exclude: [{ a: excluded }] })).toHaveLength(isExcluded ? 1 : 2);
  });
});

const value = fc.constantFrom<Json>(1, 2, 'x', 'y', true);
const names = ['a', 'b', 'c'];
const list = fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
const lists = fc.record({ a: list, b: list, c: list }, { requiredKeys: [] });
const rule = (keys: readonly string[]) =>
  fc
    .dictionary(fc.constantFrom(...keys), value, { minKeys: 1, maxKeys: 3 })
    .map((object): JsonObject => ({ ...object }));

const written = fc
  .record({
    lists,
    include: fc.array(rule([...names, 'd', 'e']), { maxLength: 4 }),
    exclude: fc.array(rule(names), { maxLength: 3 }),
  })
  .map(({ lists: given, include, exclude }) => {
    const own = Object.keys(given);
    // GitHub refuses to exclude by a name that is no list.
    const valid = exclude.filter((each) => Object.keys(each).every((name) => own.includes(name)));
    return { lists: given, include, exclude: valid };
  });

/** The rules as the documentation words them, one element after the other. */
function documented({
  lists: given,
  include,
  exclude,
}: {
  lists: Record<string, Json[]>;
  include: JsonObject[];
  exclude: JsonObject[];
}): JsonObject[] {
  const equal = (one: Json | undefined, other: Json | undefined): boolean =>
    one === other || (one === true && other === 1) || (one === 1 && other === true);
  const own = Object.keys(given);
  let originals: JsonObject[] = own.length === 0 ? [] : [{}];
  for (const name of own)
    originals = originals.flatMap((each) => (given[name] ?? []).map((one) => ({ ...each, [name]: one })));
  originals = originals.filter(
    (each) => !exclude.some((one) => Object.entries(one).every(([name, part]) => equal(each[name], part))),
  );
  const jobs = originals.map((each) => ({ ...each }));
  const added: JsonObject[] = [];
  for (const one of include) {
    // Added where none of its pairs overwrites an original value; added values may be overwritten.
    const fitting = jobs.filter((_, index) =>
      Object.entries(one).every(
        ([name, part]) => !own.includes(name) || equal(originals[index]?.[name], part),
      ),
    );
    if (fitting.length === 0) added.push(one);
    for (const job of fitting)
      for (const [name, part] of Object.entries(one)) if (!own.includes(name)) job[name] = part;
  }
  return [...jobs, ...added];
}

test('any matrix has the members that the documentation describes', () => {
  fc.assert(
    fc.property(written, (matrix) => {
      const { lists: given, include, exclude } = matrix;
      expect(members({ ...given, include, exclude })).toEqual(documented(matrix));
    }),
    { seed: 18, numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 1000) },
  );
});
