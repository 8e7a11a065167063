import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/domain/json.ts';
import { memberIds } from '../../src/workstream/matrix-ids.ts';
import { loadFiles } from './load-files.ts';

const idOf = (member: JsonObject, base = 'ws'): string => memberIds(base, [member])[0] ?? '';

test('an id is made of the names and values of its member', () => {
  expect(idOf({ 'burn-rate': 0.1, seed: 3 })).toBe('ws-burn-rate-0.1-seed-3');
});

test.each<[Json, string]>([
  [0, '0'],
  [-0.5, 'minus-0.5'],
  [1e-7, '1e-7'],
  [1e21, '1e21'],
  [true, 'true'],
  [null, 'null'],
  ['large', 'large'],
  ['3.10', '3.10'],
  ['node-20.1', 'node-20.1'],
])('the value %j is %s', (value, part) => {
  expect(idOf({ x: value })).toBe(`ws-x-${part}`);
});

test.each<[Json, RegExp]>([
  ['GPT-4', /^ws-x-gpt-4-[0-9a-f]{6}$/],
  ['data/a.csv', /^ws-x-data-a-csv-[0-9a-f]{6}$/],
  ['-O2', /^ws-x-o2-[0-9a-f]{6}$/],
  ['', /^ws-x-[0-9a-f]{6}$/],
  ['…', /^ws-x-[0-9a-f]{6}$/],
  ['x.lock', /^ws-x-x-lock-[0-9a-f]{6}$/],
  [{ lr: 0.1, wd: 0 }, /^ws-x-lr-0\.1-wd-0-[0-9a-f]{6}$/],
  [[1, 2], /^ws-x-1-2-[0-9a-f]{6}$/],
  ['a'.repeat(500), /^ws-x-a{33}-[0-9a-f]{6}$/],
])('the value %j, which is no part of an id, has a hash', (value, id) => {
  expect(idOf({ x: value })).toMatch(id);
});

test('an id that is too long ends with a hash of all its values', () => {
  const member = { first: 'a'.repeat(40), second: 'b'.repeat(40), third: 'c' };
  const id = idOf(member, 'ws-simulation');
  expect(id).toMatch(/^ws-simulation-first-a{40}-second-b+-[0-9a-f]{10}$/);
  expect(id).toHaveLength(100);
  expect(id).not.toBe(idOf({ ...member, third: 'd' }, 'ws-simulation'));
});

test('of two values with one text the later one has a hash', () => {
  const [first, second] = memberIds('ws', [{ n: 20 }, { n: '20' }]);
  expect(first).toBe('ws-n-20');
  expect(second).toMatch(/^ws-n-20-[0-9a-f]{10}$/);
});

test('a value that is given twice makes two ids', () => {
  expect(new Set(memberIds('ws', [{ n: 1 }, { n: 1 }, { n: 1 }])).size).toBe(3);
});

const scalar = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('A', 'a', 'a b', 'a-b', 'a_b', '1', 'TRUE', 'x.y', '..', '.lock'),
);
const json: fc.Arbitrary<Json> = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }).map((text): Json => JSON.parse(text) as Json) },
);

describe('any values', () => {
  test('make ids that are short, unlike, and names of files and branches', () => {
    fc.assert(
      fc.property(fc.array(json, { minLength: 1, maxLength: 20 }), (values) => {
        const ids = memberIds(
          'ws-sweep',
          values.map((value) => ({ value })),
        );
        expect(new Set(ids).size).toBe(values.length);
        for (const id of ids) expect(id).toMatch(/^ws-sweep-value-(?=.{1,85}$)[a-z0-9]+(?:[-.][a-z0-9]+)*$/);
        for (const id of ids) expect(id).not.toMatch(/\.(?:[^0-9]|$)/);
      }),
      { seed: 18, numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 1000) },
    );
  });

  test('keep their ids when a value of another text is added anywhere', () => {
    const distinct = fc.uniqueArray(json, {
      minLength: 2,
      maxLength: 12,
      selector: (value) => idOf({ value }),
    });
    fc.assert(
      fc.property(distinct, fc.nat(), (values, at) => {
        const before = values.filter((_, index) => index !== at % values.length);
        const idsOf = (all: Json[]) =>
          memberIds(
            'ws',
            all.map((value) => ({ value })),
          );
        expect(idsOf(values).filter((_, index) => index !== at % values.length)).toEqual(idsOf(before));
      }),
      { seed: 18, numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 1000) },
    );
  });
});

describe('the members of a definition', () => {
  const work = { id: 'ws-m', steps: [{ run: 'x' }] };
  const idsOf = (fields: object): string[] =>
    loadFiles({ 'a.json': { ...work, ...fields } }).workstreams.map(({ id }) => id);

  test('have ids of their values', () => {
    expect(idsOf({ matrix: { seed: [1, 2] } })).toEqual(['ws-m-seed-1', 'ws-m-seed-2']);
  });

  test('keep them when include adds a value to all', () => {
    expect(idsOf({ matrix: { seed: [1], include: [{ colour: 'green' }] } })).toEqual(['ws-m-seed-1']);
  });

  test('have ids of their position where that is asked for', () => {
    expect(idsOf({ matrix: { seed: [7, 8] }, ids: 'position' })).toEqual(['ws-m-1', 'ws-m-2']);
  });

  test('have paths of their own outputs, in which a value has no meaning', () => {
    const { workstreams } = loadFiles({
      'a.json': {
        ...work,
        matrix: { name: ['a*'] },
        outputs: ['out/${{ matrix.name }}-*.csv', '${{ matrix.name }}'],
      },
    });
    expect(workstreams.map(({ outputs }) => outputs)).toEqual([['out/a\\*-*.csv', 'a\\*']]);
  });
});
