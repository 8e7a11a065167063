import { expect, test } from 'vitest';
import { functionComplexities } from '../../../../workstreams/tasks/algorithms/cyclomatic-complexity.ts';

const complexityOf = (body: string): number | undefined =>
  functionComplexities(`function f(a, b) { ${body} }`)[0]?.complexity;

test.each([
  ['return a;', 1],
  ['if (a) return b;', 2],
  ['if (a) b(); else if (b) a();', 3],
  ['for (;;) while (a) do b(); while (a)', 4],
  ['for (const x in a) for (const y of b) x(y);', 3],
  ['return a && b || (a ?? b);', 4],
  ['return a ? b : 1;', 2],
  ['a ||= b; a += b;', 2],
  ['switch (a) { case 1: case 2: break; default: }', 3],
  ['try { a(); } catch { b(); } finally { a(); }', 2],
])('%s has complexity %d', (body, complexity) => {
  expect(complexityOf(body)).toBe(complexity);
});

test('names functions by their place', () => {
  const source = `export const arrow = () => 1;
class A { method() {} #secret() {} field = () => 1; static { f(() => 1); } }
const object = { key: function () {}, 'two words': () => 1, short() {} };
object.later = function own() {};
object.last = () => 1;
(function () {})();`;
  expect(functionComplexities(source).map(({ name, line }) => `${line} ${name}`)).toEqual([
    '1 arrow',
    '2 method',
    '2 #secret',
    '2 field',
    '2 (anonymous)',
    '3 key',
    '3 two words',
    '3 short',
    '4 own',
    '5 last',
    '6 (anonymous)',
  ]);
});

test('a function inside another one counts for itself', () => {
  const source = 'function outer(a) {\n  if (a) {\n    return () => a && a.b;\n  }\n}\nif (x) y();';
  expect(functionComplexities(source)).toEqual([
    { name: 'outer', line: 1, lines: 5, complexity: 2 },
    { name: '(anonymous)', line: 3, lines: 1, complexity: 2 },
  ]);
});

test('scripts and modules are parsed, other languages are not', () => {
  expect(functionComplexities('#!/usr/bin/env node\nwith (a) b(); return;')).toEqual([]);
  expect(() => functionComplexities('SELECT * FROM functions')).toThrow(SyntaxError);
});
