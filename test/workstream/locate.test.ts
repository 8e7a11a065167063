import fc from 'fast-check';
import { findNodeAtLocation, getNodeValue, parseTree } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { type JsonPath, locate } from '../../src/workstream/locate.ts';

const places = (text: string, ...paths: JsonPath[]): string[] =>
  locate(
    text,
    paths.map((path) => ({ path, at: 'value' })),
  ).map(({ line, column }) => `${line}:${column}`);

describe('locate', () => {
  const text = '// c\n[\n  {"a": [1, {"b": null}]},\r\n  {"a": /* x */ "ä😀", "a": 2, "z": 3},\n]';

  test('values', () => {
    expect(places(text, [], [0], [0, 'a'], [0, 'a', 0], [0, 'a', 1, 'b'], [1, 'z'])).toEqual([
      '2:1',
      '3:3',
      '3:9',
      '3:10',
      '3:19',
      '4:37',
    ]);
  });

  test('a key that is there twice is the last, as it is when parsing', () => {
    expect(places(text, [1, 'a'])).toEqual(['4:29']);
  });

  test('keys', () => {
    expect(locate(text, [{ path: [1, 'z'], at: 'key' }])).toEqual([{ line: 4, column: 32 }]);
  });

  test('what is not there has the place of the nearest value around it', () => {
    expect(places(text, [0, 'c', 'd'], [0, 'a', 7], [5], [0, 'a', 'constructor'])).toEqual([
      '3:3',
      '3:9',
      '2:1',
      '3:9',
    ]);
  });

  test('agrees with the tree of jsonc-parser for every value of any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 1, 3), (json, indent) => {
        const source = JSON.stringify(JSON.parse(json), null, indent);
        const tree = parseTree(source);
        const paths = [...pathsOf(getNodeValue(tree ?? fail()))];
        const expected = paths.map((path) => {
          const offset = findNodeAtLocation(tree ?? fail(), [...path])?.offset ?? fail();
          const lines = source.slice(0, offset).split('\n');
          return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
        });
        expect(places(source, ...paths)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

function fail(): never {
  throw new Error('no tree');
}

function* pathsOf(value: unknown, path: JsonPath = []): Generator<JsonPath> {
  yield path;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* pathsOf(item, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) yield* pathsOf(item, [...path, key]);
  }
}
