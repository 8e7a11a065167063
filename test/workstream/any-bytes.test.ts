import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from '../../src/workstream/parse.ts';
import { loadFiles } from './load-files.ts';

const known = [
  'id',
  'steps',
  'run',
  'module',
  'tool',
  'tasks',
  'matrix',
  'depends_on',
  'env',
  'input',
  'title',
  '__proto__',
];

/** Values that look like definitions, and are wrong in every way. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('ws-a', 'ws-b', '', '${{ matrix.a }}', '${{ matrix.id }}', '\0', 'high', '../..'),
    fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.string({ unit: 'binary' })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...known), fc.string()), tie('value'), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
  ),
}));

const content = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.string({ unit: fc.constantFrom(...Array.from('[]{}",:\\/*\n 1eaé-')), maxLength: 200 }),
  fc.json(),
  value.map((any) => JSON.stringify(any)),
  fc.array(
    fc.record(
      { id: fc.constantFrom('ws-a', 'ws-b', 'ws-a-1', 'x'), steps: value, matrix: value, tool: value },
      { requiredKeys: ['id'] },
    ),
    { maxLength: 4 },
  ),
);

test('whatever is in the files, loading gives definitions and problems and never throws', () => {
  fc.assert(
    fc.property(content, content, (first, second) => {
      const { workstreams, broken, problems, files } = loadFiles({ 'a.json': first, 'b.json': second });
      expect(files).toBe(2);
      const ids = [...workstreams, ...broken].map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(broken.length === 0).toBe(!problems.some(({ severity }) => severity === 'error'));
      for (const { line, column } of problems)
        expect(line === null || (line >= 1 && (column ?? 0) >= 1)).toBe(true);
      for (const { failure } of broken) {
        if (failure.reason === 'invalid-workstream') expect(failure.problems.length).toBeGreaterThan(0);
      }
      expect(structuredClone(workstreams)).toEqual(workstreams);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('what is JSON is read as JSON.parse does, with or without comments', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', '// c', '/* "[{ */'), (json, comment) => {
      expect(parse(`${json}\n${comment}`)).toEqual({ ok: true, value: JSON.parse(json) });
    }),
    { numRuns: 300 },
  );
});
