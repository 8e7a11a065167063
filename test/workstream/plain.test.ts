/** What is read without the schema is what the schema and the rules would have made of it. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isObject, type Json, type JsonObject } from '../../src/domain/json.ts';
import { copyOf, type Workstream } from '../../src/domain/workstream.ts';
import { type DefinitionContext, readDefinition } from '../../src/workstream/definition.ts';
import { PlainReader } from '../../src/workstream/plain.ts';
import { type PlainDefinition, PlainWorkstream } from '../../src/workstream/plain-workstream.ts';
import { anyFile } from './any-file.ts';

/** What reads definitions of a folder in which every module is there but those whose names begin with `none`. */
function context(): DefinitionContext {
  return {
    folders: { file: '/project/workstreams', start: '/project' },
    isFile: (path) => !path.includes('/none'),
    tools: null,
    count: { workstreams: 0 },
  };
}

const SOURCE = { file: 'workstreams/a.json', position: 3 };

const readPlain = (raw: Json, surroundings = context()): Workstream | null =>
  new PlainReader(surroundings).read(raw, SOURCE.file, SOURCE.position);

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'x',
    './n.mjs',
    'true\n',
    '\0',
    'a\0',
    '${{ matrix.a }}',
    '${{',
    '\u2028',
    '\ud800',
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const odd = fc.oneof(text, fc.constantFrom(null, 0, true), fc.constant([]), fc.constant({}));
const mostly = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

const inputs = fc.constantFrom<unknown>(
  { seed: 1, rate: 0.1 },
  [1, ['${{ matrix.a }}']],
  { '${{ matrix.a }}': 1 },
  -0,
  1e308,
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ module: mostly(text) }) },
  { weight: 6, arbitrary: fc.record({ run: mostly(text) }) },
  fc.record({ run: text, module: text }),
  fc.record({ run: text, id: odd }),
  {
    weight: 6,
    arbitrary: fc.record(
      { module: mostly(text), export: mostly(text), input: fc.oneof(fc.jsonValue(), odd, inputs) },
      { requiredKeys: ['module'] },
    ),
  },
  fc.constant(JSON.parse('{"module":"./n.mjs","input":{"a":[{"__proto__":{"b":1}}]}}')),
  fc.constant(JSON.parse('{"run":"true","__proto__":{}}')),
);

const others = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  fc.record({ tool: odd }),
  fc.record({ _comment: odd }),
  fc.record({ constructor: odd }),
  fc.constantFrom({ id: undefined }, { steps: undefined }),
);

const fields = fc.record(
  {
    id: mostly(fc.constantFrom('ws-a', '0', 'a'.repeat(100), '-a', 'a'.repeat(101), 'A', 'a\n')),
    title: mostly(text),
    description: mostly(text),
    depends_on: mostly(fc.array(mostly(text), { maxLength: 3 })),
    steps: mostly(fc.array(mostly(step), { maxLength: 3 })),
  },
  { requiredKeys: ['id', 'steps'] },
);

/** Close to what is plain, on both sides. */
const near = fc
  .tuple(fields, others)
  .map(([known, more]): JsonObject => JSON.parse(JSON.stringify({ ...known, ...more })));

/** Whether it is plain; then it is compared with what the ordinary way makes of it. */
function compare(raw: JsonObject): boolean {
  const [quick, ordinary] = [context(), context()];
  const plain = readPlain(raw, quick);
  if (plain === null) {
    expect(quick.count.workstreams).toBe(0);
    return false;
  }
  const { workstreams, findings, failure } = readDefinition(raw, SOURCE, ordinary);
  expect([findings, failure]).toEqual([[], null]);
  expect([copyOf(plain)]).toEqual(workstreams);
  expect(JSON.stringify([plain])).toBe(JSON.stringify(workstreams));
  expect(quick.count).toEqual(ordinary.count);
  return true;
}

test('a plain definition becomes what the schema and the rules make of it, and its hash is the same', () => {
  let plain = 0;
  fc.assert(
    fc.property(near, (raw) => {
      if (compare(raw)) plain += 1;
    }),
    { numRuns: 10_000 },
  );
  expect(plain).toBeGreaterThan(20);
});

test('so it is with the definitions of any file', () => {
  fc.assert(
    fc.property(anyFile, (content) => {
      for (const raw of valuesOf(content)) if (isObject(raw)) compare(raw);
    }),
    { numRuns: 2_000 },
  );
});

function valuesOf(content: string | Uint8Array): JsonObject[] {
  try {
    return [JSON.parse(Buffer.from(content).toString())].flat();
  } catch {
    // It is no JSON, so nothing is in it.
    return [];
  }
}

test.each([
  ['a module', '{"id":"a","steps":[{"module":"./n.mjs"}]}', true],
  ['a line for the shell', '{"id":"a","title":"A","depends_on":["b"],"steps":[{"run":"true"}]}', true],
  ['several steps', '{"id":"a","steps":[{"run":"true"},{"module":"./n.mjs"}]}', true],
  [
    'a module with its input',
    '{"id":"a","steps":[{"module":"./n.mjs","export":"b","input":{"c":[1]}}]}',
    true,
  ],
  ['a reference in an input', '{"id":"a","steps":[{"module":"./n.mjs","input":["${{ matrix.a }}"]}]}', false],
  ['an export that is null', '{"id":"a","steps":[{"module":"./n.mjs","export":null}]}', false],
  ['a module that is not there', '{"id":"a","steps":[{"module":"./none.mjs"}]}', false],
  ['a blank title', '{"id":"a","title":" ","steps":[{"run":"true"}]}', false],
  ['a title that is null', '{"id":"a","title":null,"steps":[{"run":"true"}]}', false],
  ['a key of the prototype', '{"id":"a","__proto__":{},"steps":[{"run":"true"}]}', false],
  ['a reference to a matrix', '{"id":"a","title":"${{ matrix.a }}","steps":[{"run":"true"}]}', false],
  ['a field of its own', '{"id":"a","note":1,"steps":[{"run":"true"}]}', false],
  ['no steps', '{"id":"a","steps":[]}', false],
  ['no id', '{"steps":[{"run":"true"}]}', false],
  ['a step with a limit', '{"id":"a","steps":[{"run":"true","timeout_seconds":1}]}', false],
  [
    'a list that is too long',
    `{"id":"a","depends_on":[${'"b",'.repeat(100_000)}"b"],"steps":[{"run":"true"}]}`,
    false,
  ],
])('%s', (_, json, isIt) => {
  expect(readPlain(JSON.parse(json)) !== null).toBe(isIt);
});

test('those that do the same share their steps', () => {
  const reader = new PlainReader(context());
  const read = (...steps: Json[]) => reader.read({ id: 'a', steps }, 'a.json', 0)?.steps;
  const twice = [{ run: 'true' }, { module: './n.mjs' }];
  expect(read({ run: 'true' })).toBe(read({ run: 'true' }));
  expect(read(...twice)).toBe(read(...twice));
  expect(read({ run: './n.mjs' })).not.toEqual(read({ module: './n.mjs' }));
});

test('after a million there is no room for one more', () => {
  const almost = { ...context(), count: { workstreams: 999_999 } };
  const reader = new PlainReader(almost);
  const read = () => reader.read({ id: 'a', steps: [{ run: 'true' }] }, 'a.json', 0);
  expect([read()?.id, read(), almost.count.workstreams]).toEqual(['a', null, 1_000_000]);
});

test('the hash of a plain workstream stays the same however often and beside however many others it is read', () => {
  const definition = (id: string): PlainDefinition => ({
    id,
    title: undefined,
    description: undefined,
    needs: undefined,
    work: { steps: [], written: '[]' },
    file: 'a.json',
    position: 0,
  });
  const many = Array.from({ length: 12_000 }, (_, index) => new PlainWorkstream(definition(`ws-${index}`)));
  const first = many.map(({ hash }) => hash);
  expect(new Set(first).size).toBe(many.length);
  expect(many.map(({ hash }) => hash)).toEqual(first);
  expect(many.map(({ hash }) => hash)).toEqual(first);
});
