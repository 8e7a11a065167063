/** What of a module's output is kept, what becomes null, and what is refused with its path. */
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { readModuleResult, serializeOutput } from '../../../workers/modules/module-result.ts';

class Point {
  x = 1;
  y = 2;
}
class Celsius {
  readonly #degrees = 20;
  unit = 'C';
  get degrees(): number {
    return this.#degrees;
  }
}
class Hidden {
  readonly #value = 1;
  read(): number {
    return this.#value;
  }
}
/** As query builders are. */
const THENABLE = Object.fromEntries(['then'].map((key) => [key, () => undefined]));
const withToJson = { toJSON: () => ({ kept: [1] }) };
const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;
const sparse: unknown[] = [1];
sparse[2] = 3;

function serialize(output: unknown): { json: string | null; warnings: string[] } {
  const warnings: string[] = [];
  return { json: serializeOutput(output, (text) => warnings.push(text)), warnings };
}

test.each<[string, unknown, string | null]>([
  ['nothing', undefined, null],
  ['null', null, 'null'],
  ['text with what JSON escapes', 'a"\n\u2028', JSON.stringify('a"\n\u2028')],
  ['half of a surrogate pair', '\uD83D', '"\\ud83d"'],
  ['minus zero', -0, '0'],
  ['plain objects and lists', { a: [{ b: 1.5e300 }, [], {}] }, '{"a":[{"b":1.5e+300},[],{}]}'],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  ['an object and a list of another realm', runInNewContext('({ a: [1, { b: 2 }] })'), '{"a":[1,{"b":2}]}'],
  ['undefined members, which are left out', { a: undefined, b: 1, c: undefined }, '{"b":1}'],
  ['undefined items and holes, which are null', [undefined, ...sparse], '[null,1,null,3]'],
  ['the key __proto__', JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  ['a date', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ['a date of another realm', runInNewContext('new Date(0)'), '"1970-01-01T00:00:00.000Z"'],
  ['a URL', { url: new URL('https://a.example/b') }, '{"url":"https://a.example/b"}'],
  ['what has toJSON', [withToJson], '[{"kept":[1]}]'],
  ['a Map that was given toJSON', Object.assign(new Map([[1, 2]]), { toJSON: () => 'map' }), '"map"'],
  ['boxed values', [Object('x'), Object(1), Object(false)], '["x",1,false]'],
  ['an object of a class with nothing but properties', new Point(), '{"x":1,"y":2}'],
  ['the same object twice', [withToJson, withToJson], '[{"kept":[1]},{"kept":[1]}]'],
])('%s can be kept', (_, output, json) => {
  expect(serialize(output)).toEqual({ json, warnings: [] });
});

test.each<[unknown, string]>([
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Object(Number.NEGATIVE_INFINITY), '-Infinity'],
  [new Date(Number.NaN), 'an invalid date'],
])('%s is stored as null, with a warning that says where', (value, name) => {
  expect(serialize({ rows: [{ when: value }] })).toEqual({
    json: '{"rows":[{"when":null}]}',
    warnings: [`output.rows[0].when is ${name}, which JSON can't hold; it is stored as null.`],
  });
});

test.each<[string, unknown]>([
  ['an Error', new RangeError('x')],
  ['an Error', new AggregateError([])],
  ['an Error', runInNewContext('new TypeError("x")')],
  ['an Error', new DOMException('x', 'AbortError')],
  ['a Map', new Map()],
  ['a Map', runInNewContext('new Map([[1, 2]])')],
  ['a Set', runInNewContext('new Set([1])')],
  ['a WeakMap', new WeakMap()],
  ['a RegExp', /x/],
  ['a RegExp', runInNewContext('/x/')],
  ['a Blob', new Blob(['x'])],
  ['a File', new File(['x'], 'x')],
  ['a Response', new Response('x')],
  ['a Request', new Request('https://a.example')],
  ['a Headers', new Headers({ a: 'b' })],
  ['a URLSearchParams', new URLSearchParams('a=b')],
  ['a ReadableStream', new Blob(['x']).stream()],
  ['binary data', Buffer.from('x')],
  ['binary data', new ArrayBuffer(1)],
  ['binary data', new Float64Array(1)],
  ['binary data', runInNewContext('new Uint8Array(1)')],
  ['a promise that was not awaited', Promise.resolve(1)],
  ['a promise that was not awaited', Object.assign(new Hidden(), THENABLE)],
  ['an iterator', [1].values()],
  ['an iterator', (function* () {})()],
  ['an iterator', (async function* () {})()],
  ['a function', () => 1],
  ['a symbol', Symbol('x')],
  ['a BigInt', 1n],
  ['a BigInt', Object(1n)],
  ['an object of class Hidden', new Hidden()],
  ['an object of class Celsius', new Celsius()],
  ['an object', Object.create({ inherited: 1 })],
  ['an object with the key Symbol(x)', { [Symbol('x')]: 1 }],
  ['an array with the property "groups"', /b/.exec('abc')],
])('%s is refused wherever it stands', (name, value) => {
  const refused = (path: string): RegExp =>
    new RegExp(
      `^${path.replaceAll(/[[\].]/g, '\\$&')} is ${name.replaceAll(/[()]/g, '\\$&')}, which JSON can't hold\\. \\S`,
    );
  expect(() => serialize(value)).toThrow(refused('output'));
  expect(() => serialize({ rows: [1, { when: value }] })).toThrow(refused('output.rows[1].when'));
  expect(() => serialize({ toJSON: () => ({ when: value }) })).toThrow(refused('output.when'));
});

test('what can not be read, or goes on for ever, is refused with its path', () => {
  const hostile = {
    get x(): never {
      throw new Error('no access');
    },
  };
  const proxy = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no access');
      },
    },
  );
  expect(() => serialize({ a: hostile })).toThrow("output.a.x can't be read: that throws Error: no access");
  expect(() => serialize([proxy])).toThrow("output[0] can't be read: that throws Error: no access");
  expect(() => serialize({ 'a b': cycle })).toThrow('output["a b"].self contains itself');
  const failing = { toJSON: () => JSON.parse('{') as unknown };
  expect(() => serialize({ failing })).toThrow(
    /^output\.failing can't be written as JSON: its toJSON throws SyntaxError/,
  );
});

test('more than 16 MB and more than 500 levels are refused before they take memory', () => {
  const tooLarge = 'and may have 16 MB as JSON. Write it to a file and return the path';
  expect(() => serialize('x'.repeat(17e6))).toThrow(tooLarge);
  expect(() => serialize([new Array(1e9)])).toThrow(tooLarge);
  let doubled: unknown[] = ['x'.repeat(10_000)];
  for (let level = 0; level < 100; level += 1) doubled = [doubled, doubled];
  expect(() => serialize(doubled)).toThrow(tooLarge);
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  expect(serialize(nested(500)).json).toHaveLength(1000);
  expect(() => serialize(nested(501))).toThrow('its output is nested more than 500 levels deep');
});

test.each<[string, unknown]>([
  ['an Error', new Error('no connection')],
  ['an Error', runInNewContext('new Error("x")')],
  ['an Error', new DOMException('x')],
  ['a Map', new Map([['output', 1]])],
  ['a Set', new Set()],
  ['a Date', new Date()],
  ['a URL', new URL('https://a.example')],
  ['a Response', new Response('x')],
  ['binary data', Buffer.from('x')],
  ['an array', [1]],
  ['a number', 1],
  ['a string', 'done'],
  ['an iterator', (function* () {})()],
  ['an iterator', { next: () => ({}), [Symbol.asyncIterator]: () => undefined }],
])('%s is no result', (name, value) => {
  expect(() => readModuleResult(value)).toThrow(
    `it returned ${name} where output, filesModified, metrics or nothing is expected. `,
  );
});

test('an Error that was returned is told with its message', () => {
  expect(() => readModuleResult(new TypeError('no connection'))).toThrow(
    'Throw it to fail: TypeError: no connection',
  );
});

test.each<[string, unknown]>([
  ['a Map', new Map([['rows', 5]])],
  ['an array', [5]],
  ['null', null],
  ['a Date', new Date()],
])('metrics that are %s are refused', (name, metrics) => {
  expect(() => readModuleResult({ metrics })).toThrow(`its metrics are ${name} and not an object of numbers`);
});

test('fields are read where a class or another realm made the result', () => {
  class Result {
    output = 1;
    metrics = { rows: 5 };
  }
  const expected = { output: 1, filesModified: [], metrics: { rows: 5 } };
  expect(readModuleResult(new Result())).toEqual(expected);
  expect(readModuleResult(runInNewContext('({ output: 1, metrics: { rows: 5 } })'))).toEqual(expected);
});
