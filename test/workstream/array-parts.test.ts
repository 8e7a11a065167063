/** A file that is read in parts is read as one that is parsed as a whole. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LoadedFolder } from '../../src/domain/plan.ts';
import { copyOf } from '../../src/domain/workstream.ts';
import { arrayParts, parsePart } from '../../src/workstream/array-parts.ts';
import { loadFolder } from '../../src/workstream/load.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { anyFile } from './any-file.ts';

/** A definition as text: plain or odd, written in any way, with mistakes of every kind. */
const element = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat({ max: 30 }), fc.constantFrom('./n.mjs', './none.mjs', './ü.mjs'))
      .map(([n, module]) => `{"id":"ws-${n}","steps":[{"module":"${module}"}]}`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat({ max: 30 }), fc.string({ unit: 'binary', maxLength: 8 }))
      .map(([n, title]) =>
        JSON.stringify(
          { id: `ws-${n}`, title, depends_on: ['ws-0', 'gone'], steps: [{ run: 'x' }] },
          null,
          1,
        ),
      ),
  },
  fc.constantFrom(
    '{"id":"ws-a","id":"ws-b","steps":[{"run":"x"}]}',
    '{"id":"ws-c","__proto__":1,"steps":[{"run":"x"}]}',
    '{"id":"ws-d","priority":1e999,"stepz":1,"steps":[{"run":"x"}]}',
    '{"id":"ws-e","note":"a \\"quoted\\" \\\\ [{,:/ text","steps":[{"run":"x"}]}',
    '{"id":"ws-f","steps":[{"run":"x"}],}',
    '{"id":"ws-g" /* why */,"steps":[{"run":"x"}]}',
    '{"id":"ws-h","steps":[{"run":"x"}],"matrix":{"n":[1,2]}}',
    '{"id":"ws-i","steps":[{"run":"\u2028 \ud83c\udf0a é"}]}',
    `{"id":"ws-j","metadata":${'['.repeat(499)}${']'.repeat(499)},"steps":[]}`,
    `{"id":"ws-k","metadata":{"a":${'['.repeat(497)}${']'.repeat(497)}},"steps":[{"run":"x"}]}`,
    '{"id":"ws-l","steps":[{"run":tru}]}',
    '{"id":"ws-m",]',
    '{}',
    '1',
    'null',
    '',
    '{"id":"ws-n"',
    '"text"',
  ),
);

const space = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', ' // why\n', '/* , ] */');

/** An array of definitions, or nearly one. */
const arrayFile = fc
  .record({
    mark: fc.constantFrom('', '', '\ufeff', '\ufeff\ufeff'),
    elements: fc.array(fc.tuple(element, space), { maxLength: 12 }),
    end: fc.constantFrom(']', ']', ']', ']', ',]', ']]', '', '] 1', '}'),
    tail: space,
  })
  .map(
    ({ mark, elements, end, tail }) =>
      `${mark}[${elements.map(([text, after]) => text + after).join(',')}${end}${tail}`,
  );

function load(start: string, wholeBytes: number): LoadedFolder {
  const loaded = loadFolder('workstreams', { cwd: start, wholeBytes });
  return { ...loaded, workstreams: loaded.workstreams.map((workstream) => copyOf(workstream)) };
}

test('whatever is in large files, they are read as small ones are', () => {
  const start = temporaryFolder();
  const folder = join(start, 'workstreams');
  mkdirSync(folder);
  for (const name of ['n.mjs', 'ü.mjs']) writeFileSync(join(folder, name), '');
  let inParts = 0;
  const content = fc.oneof({ weight: 3, arbitrary: arrayFile }, { weight: 1, arbitrary: anyFile });
  fc.assert(
    fc.property(content, content, (a, b) => {
      writeFileSync(join(folder, 'a.json'), a);
      writeFileSync(join(folder, 'b.json'), b);
      expect(load(start, 0)).toEqual(load(start, Number.POSITIVE_INFINITY));
      if (arrayParts(Buffer.from(a)) !== null) inParts += 1;
    }),
    { numRuns: 1_500 },
  );
  expect(inParts).toBeGreaterThan(50);
  rmSync(folder, { recursive: true });
}, 120_000);

describe('the parts of an array', () => {
  const parts = (text: string, bytes: number): unknown => {
    const buffer = Buffer.from(text);
    return arrayParts(buffer, bytes)?.map((part) => parsePart(buffer, part)) ?? null;
  };

  test('have whole elements, and end with the one that fills them', () => {
    const text = '\ufeff [ {"a":1} , {"b":"}"},\r\n{"c":[{}]},{"d":4} ]\n';
    expect(parts(text, 1)).toEqual([[{ a: 1 }], [{ b: '}' }], [{ c: [{}] }], [{ d: 4 }]]);
    expect(parts(text, 11)).toEqual([
      [{ a: 1 }, { b: '}' }],
      [{ c: [{}] }, { d: 4 }],
    ]);
    expect(parts(text, 1000)).toEqual([[{ a: 1 }, { b: '}' }, { c: [{}] }, { d: 4 }]]);
  });

  test.each([
    ['a comment', '[{"a":1} /* no */]'],
    ['a comment in an element', '[{"a":1 // no\n}]'],
    ['a trailing comma', '[{"a":1},]'],
    ['one object', '{"a":1}'],
    ['an element that is no object', '[{"a":1},2]'],
    ['nothing', '[]'],
    ['something behind it', '[{"a":1}] 1'],
    ['no end', '[{"a":1}'],
    ['an open string', '[{"a":"1}]'],
  ])('there are none of %s', (_, text) => {
    expect(parts(text, 1)).toBeNull();
  });

  test('there are none of what is not UTF-8', () => {
    expect(arrayParts(Buffer.from([0x5b, 0x7b, 0xff, 0x7d, 0x5d]))).toBeNull();
  });

  test('one with a repeated key, or without JSON, is not read', () => {
    expect(parts('[{"a":1,"a":2}]', 1)).toEqual([null]);
    expect(parts('[{"a":1},{"a":tru}]', 1)).toEqual([[{ a: 1 }], null]);
    expect(parts('[{]}]', 1)).toEqual(null);
  });
});
