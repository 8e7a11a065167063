/** What is recognised without the schema is what the schema and the rules would have made of it. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/domain/json.ts';
import { isObject } from '../../src/workstream/json-value.ts';
import { isPlain } from '../../src/workstream/plain.ts';
import { check, checkAll } from '../../src/workstream/rules.ts';
import { anyFile } from './any-file.ts';

const LOOKED = { thorough: true, found: [] };

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

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ module: mostly(text) }) },
  { weight: 6, arbitrary: fc.record({ run: mostly(text) }) },
  fc.record({ run: text, module: text }),
  fc.record({ run: text, id: odd }),
  fc.record({ module: text, input: odd }),
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

function compare(raw: JsonObject): void {
  if (!isPlain(raw)) return;
  expect(check(raw, LOOKED)).toEqual(checkAll(raw, LOOKED));
  expect(checkAll(raw, LOOKED)).toEqual({ definition: raw, findings: [] });
}

test('a plain definition has no findings, and the schema reads it as it stands', () => {
  let plain = 0;
  fc.assert(
    fc.property(near, (raw) => {
      if (isPlain(raw)) plain += 1;
      compare(raw);
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
  expect(isPlain(JSON.parse(json))).toBe(isIt);
});
