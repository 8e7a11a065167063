import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/domain/json.ts';
import { metricsView, outputView } from '../../src/report/output-view.ts';
import { serialise } from '../../src/report/serialise.ts';

const view = (output: Json, folder = 'reports'): string => serialise(outputView(output, { folder }));

test('scalars are a list, numbers have the digits that a person needs', () => {
  expect(
    view({ name: 'x|y', count: 4999999, share: 0.0697026000001, big: 1190476.1904, on: true, none: null }),
  ).toBe('- name: x|y\n- count: 4999999\n- share: 0.0697026\n- big: 1190476\n- on: true\n- none: –\n');
  expect(serialise(metricsView({ tiny: 1.23456789e-9 }))).toBe('- tiny: 1.23457e-9\n');
});

test('at most 20 scalars', () => {
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`k${index}`, index]));
  expect(view(many)).toMatch(/- k19: 19\n- and 5 more\n$/);
});

test('an array of flat objects is a table of 10 rows, with a column a key', () => {
  const rows = Array.from({ length: 12 }, (_, index) => (index === 0 ? { a: 0, b: 'x' } : { a: index }));
  const lines = view({ rows }).trim().split('\n');
  expect(lines.slice(0, 5)).toEqual(['**rows**:', '', '|  a | b |', '| -: | - |', '|  0 | x |']);
  expect(lines.slice(5, 6)).toEqual(['|  1 | – |']);
  expect(lines.at(-1)).toBe('2 rows left out');
  expect(view(rows)).toMatch(/^\| {2}a \| b \|/);
});

test('columns beyond 8 are counted', () => {
  const wide = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, index]));
  expect(view([wide])).toMatch(/\| k7 \|\n[\s\S]*3 columns left out\n$/);
});

test('a key that every object inherits is a key like others', () => {
  const rows: Json = JSON.parse('[{"constructor": "a", "__proto__": "b"}, {"x": 1}]');
  expect(view(rows)).toBe(
    '| constructor | \\_\\_proto\\_\\_ |  x |\n| ----------- | ------------- | -: |\n| a           | b             |  – |\n| –           | –             |  1 |\n',
  );
});

test('what is nested is JSON', () => {
  expect(view({ size: { w: 8 }, list: [1, [2]] })).toBe(
    '```json\n{\n  "size": {\n    "w": 8\n  },\n  "list": [\n    1,\n    [\n      2\n    ]\n  ]\n}\n```\n',
  );
});

test('a text of several lines is a block', () => {
  expect(view({ summary: 'one\ntwo ```\n' })).toBe(
    '**summary**:\n\n````text\none\ntwo ```\n````\n'.replaceAll('````', '```'.concat('`')),
  );
  expect(view('one\ntwo')).toBe('```text\none\ntwo\n```\n');
  expect(view('one')).toBe('one\n');
  expect(view(null)).toBe('');
});

test('an output of any size is cut', () => {
  const huge = { deep: Array.from({ length: 100_000 }, (_, index) => ({ index, at: { x: [index] } })) };
  expect(view(huge).length).toBeLessThan(2100);
  expect(view('x'.repeat(5_000_000)).length).toBeLessThan(2100);
  expect(view({ a: 'x'.repeat(5_000_000), b: ['y'.repeat(5_000_000)] }).length).toBeLessThan(2100);
});

describe('images', () => {
  test.each([
    ['reports/a.png', 'a.png'],
    ['./reports/deep/a b.SVG', 'deep/a%20b.SVG'],
    ['reports/javascript:x.svg', 'javascript%3Ax.svg'],
  ])('%s', (path, url) => {
    expect(view({ image: path })).toBe(`- image: ![${path}](${url})\n`);
  });

  test.each(['a.png', 'reports/../a.png', 'reports/a.txt', '/reports/a.png', 'reports/a\u0000.png'])(
    '%j is none',
    (path) => {
      expect(view({ image: path })).not.toContain('](');
    },
  );

  test('absolute paths', () => {
    expect(view({ image: '/x/reports/a.png' }, '/x/reports')).toContain('](a.png)');
    expect(view({ image: 'reports/a.png' }, resolve('reports'))).toContain('](a.png)');
    expect(view({ image: resolve('reports/a.png') })).toContain('](a.png)');
  });
});
