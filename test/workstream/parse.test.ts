import { describe, expect, test } from 'vitest';
import { parse } from '../../src/workstream/parse.ts';
import { loadFiles, problemsOf } from './load-files.ts';

const work = '{"id": "ws-a", "steps": [{"run": "true"}]}';

describe('what is taken', () => {
  test('comments and trailing commas', () => {
    const text =
      '// one\n{ /* two */ "a": [1, 2, // three\n ], "b": {"c": "// no /* comment",},\n}\n/* end */';
    expect(parse(text)).toEqual({
      ok: true,
      value: { a: [1, 2], b: { c: '// no /* comment' } },
      keys: 3,
    });
  });

  test('a byte-order mark, and lines that end in CR LF', () => {
    const loaded = loadFiles({
      'a.json': `\ufeff${work}`,
      'b.json': '\ufeff// b\r\n{"id":"ws-b",\r\n  "bad": 1}',
    });
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-a']);
    expect(loaded.problems.map(({ line, column, path }) => [line, column, path])).toEqual([
      [2, 1, ''],
      [3, 3, 'bad'],
    ]);
  });

  test('a replacement character that stands in the file', () => {
    const loaded = loadFiles({ 'a.json': { id: 'ws-a', title: 'a \ufffd b', steps: [{ run: 'true' }] } });
    expect(loaded.workstreams[0]?.title).toBe('a \ufffd b');
    expect(loaded.problems).toEqual([]);
  });

  test.each([work, `${work} // comment`])('keys like __proto__ are keys like any other: %#', (end) => {
    const text = end.replace('{', '{"__proto__": {"polluted": 1}, "constructor": 2, "toString": null, ');
    const loaded = loadFiles({ 'a.json': text });
    const extra = loaded.workstreams[0]?.extra ?? {};
    expect(Object.keys(extra)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(extra)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
    expect(loaded.problems.map(({ path, severity }) => [path, severity])).toEqual([
      ['__proto__', 'warning'],
      ['constructor', 'warning'],
      ['toString', 'warning'],
    ]);
  });
});

describe('what is no JSON', () => {
  test.each([
    ['', '1:1: error: the file is empty; expected a workstream or an array of them'],
    [' \n\t', '1:1: error: the file is empty; expected a workstream or an array of them'],
    ['// only this', '1:13: error: expected a value, found the end of the file'],
    ['{\n  "id": ws-a\n}', '2:9: error: unexpected "ws-a"; expected a value, with text in double quotes'],
    ["{'id': 1}", `1:2: error: unexpected "'id'"; expected a value, with text in double quotes`],
    ['{"id" "ws-a"}', '1:7: error: expected ":" after the field name, found "\\"ws-a\\""'],
    ['{"id": "ws-a"\n "b": 1}', '2:2: error: expected "," before "\\"b\\""'],
    ['{"id": "ws-a"', '1:14: error: expected "}", found the end of the file'],
    ['[{"id": 1}', '1:11: error: expected "]", found the end of the file'],
    ['{"id": "ws-a\n}', '1:8: error: the string is not closed on its line; expected a double quote'],
    [
      '{"id": "C:\\work"}',
      '1:8: error: there is no such escape sequence; a backslash itself is written \\\\',
    ],
    ['{"id": "\\u12"}', '1:8: error: expected four hexadecimal digits after \\u'],
    [
      '{"id": "a\tb"}',
      '1:8: error: a control character in a string; write it as an escape such as \\t or \\u0000',
    ],
    ['{"id": 1 /* }', '1:10: error: the comment is not closed; expected "*/"'],
    [
      '{"id": 1} {',
      '1:11: error: expected the end of the file, found "{"; put several workstreams of one file into an array',
    ],
  ])('%j', (text, expected) => {
    expect(problemsOf(text)).toContain(expected);
    expect(loadFiles({ 'a.json': text }).broken.map(({ id }) => id)).toEqual(['a']);
  });

  test('several errors at once, one a line', () => {
    expect(problemsOf('{\n "a": x y,\n "b" 2,\n "c": 3\n "d": 4\n}')).toEqual([
      '2:7: error: unexpected "x"; expected a value, with text in double quotes',
      '3:6: error: expected ":" after the field name, found "2"',
      '5:2: error: expected "," before "\\"d\\""',
    ]);
  });

  test('bytes that are not UTF-8 are named with their offset', () => {
    const latin1 = Buffer.from('{"id":"ws-a",\n"title":"\ufffd ', 'utf8');
    expect(problemsOf(Buffer.concat([latin1, Buffer.from([0xe4, 0x22, 0x7d])]))).toEqual([
      '2:12: error: it is not UTF-8: byte 0xe4 at byte offset 27. Save it as UTF-8',
    ]);
    expect(problemsOf(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(work, 'utf16le')]))).toEqual([
      '1:1: error: it is not UTF-8: byte 0xff at byte offset 0. It looks like UTF-16. Save it as UTF-8',
    ]);
  });
});

describe('what is too much', () => {
  test('500 levels are read, one more is a problem with its place', () => {
    const nested = (levels: number): string =>
      `{"id":"ws-a","steps":[{"run":"x"}],\n"metadata":{"a":${'['.repeat(levels)}1${']'.repeat(levels)}}}`;
    expect(loadFiles({ 'a.json': nested(498) }).workstreams).toHaveLength(1);
    expect(problemsOf(nested(499))).toEqual(['2:515: error: it is nested more than 500 levels deep']);
    expect(problemsOf(`// comment [[[ "\n${nested(10_000)}`)).toEqual([
      '3:515: error: it is nested more than 500 levels deep',
    ]);
  });

  test('more than five million values, or a million definitions, are a problem', () => {
    expect(problemsOf(`[${','.repeat(5_000_001)}]`)).toEqual([
      '1:5000001: error: it holds more than 5000000 values; split it into several files',
    ]);
    expect(problemsOf(`[${'1,'.repeat(1_000_000)}1]`)).toEqual([
      '1:1: error: it has 1000001 workstreams; a folder has at most 1000000',
    ]);
  });

  const MB = 100_000;
  test.each([
    ['one letter', 'a'.repeat(100 * MB), /^1:1: error: unexpected "a{59}…"; expected a value/],
    ['quotes', '"'.repeat(100 * MB), /^1:3: error: expected the end of the file/],
    ['an open string', `"${'a'.repeat(100 * MB)}`, /^1:1: error: the string is not closed on its line/],
    ['brackets', '['.repeat(100 * MB), /^1:501: error: it is nested/],
    ['braces', '{"a":'.repeat(20 * MB), /^1:2501: error: it is nested/],
    ['commas', ','.repeat(100 * MB), /^1:5000001: error: it holds more than/],
    ['empty objects', `[${'{},'.repeat(33 * MB)}`, /error: it holds more than/],
    ['slashes', '/'.repeat(100 * MB), /^1:10000001: error: expected a value/],
    ['lines', '\n'.repeat(100 * MB), /^1:1: error: the file is empty/],
    ['words on lines', 'a\n'.repeat(50 * MB), /^1:1: error: unexpected "a"/],
    ['zero bytes', Buffer.alloc(100 * MB), /^1:1: error: unexpected/],
    ['0xff', Buffer.alloc(100 * MB, 0xff), /^1:1: error: it is not UTF-8/],
  ])('10 MB of %s', (_name, content, expected) => {
    const problems = problemsOf(content);
    expect(problems[0]).toMatch(expected);
    expect(problems.length).toBeLessThanOrEqual(21);
  });
});
