import * as fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { findConflicts } from '../../src/plan/conflicts.ts';
import { scopePrefix, scopePrefixes } from '../../src/plan/scope.ts';
import { makeWorkstreams } from '../kit/make-workstream.ts';

test.each([
  ['src/plan/ready.ts', 'src/plan/ready.ts'],
  ['src/plan/*.ts', 'src/plan'],
  ['src/plan/a*.ts', 'src/plan'],
  ['src/', 'src'],
  ['./src//plan/./', 'src/plan'],
  ['src/../docs/*', 'docs'],
  ['../other/**', '../other'],
  ['../..', '../..'],
  ['**', '.'],
  ['*.md', '.'],
  ['', '.'],
  ['.', '.'],
  ['./', '.'],
  ['/', '/'],
  ['/etc/*.conf', '/etc'],
  ['/*', '/'],
  ['src/{a,b}/c', 'src'],
  ['src/{a}/*.ts', 'src'],
  [String.raw`src/\{a\}/*.ts`, 'src/{a}'],
  [String.raw`app/\[id\]/page.tsx`, 'app/[id]/page.tsx'],
  [String.raw`src/\*.ts`, 'src/*.ts'],
  ['app/[id]/page.tsx', 'app'],
  ['src/@(a|b)/c', 'src'],
  ['src/+(a)', 'src'],
  ['src/!(a)', 'src'],
  ['@scope/package/a+b', '@scope/package/a+b'],
  ['src/(group)/page.tsx', 'src'],
  ['src/file?.ts', 'src'],
  ['src/a/*/../../lib', '.'],
  ['src/{..,a}/x', '.'],
  ['src/seed-{1..3}.json', 'src'],
  ['!src/**', '.'],
  ['src/..', '.'],
  ['src/..a/x', 'src/..a/x'],
])('the prefix of %j is %j', (glob, prefix) => {
  expect(scopePrefix(glob)).toBe(prefix);
});

test.each([
  ['src/**', 'src/plan/ready.ts', true],
  ['src', './src/', true],
  ['src/a', 'src/ab', false],
  ['src/a.ts', 'src/b.ts', false],
  ['src/*.ts', 'src/sub/*.js', true],
  ['**', 'anything', true],
  ['..', 'src', true],
  ['../**', '.', true],
  ['../other', 'src', false],
  ['../other', '../other/x', true],
  ['../../x', '..', false],
  ['../..', '../x', true],
  ['/', 'src', true],
  ['/', '../x', true],
  ['/tmp/a', '/tmp', true],
  ['/src', 'src', false],
])('%j and %j overlap: %j', (a, b, overlap) => {
  const conflicts = (...scopes: string[]): number =>
    findConflicts(makeWorkstreams(scopes.map((scope, n) => ({ id: `ws-${n}`, scopes: [scope] })))).length;
  expect([conflicts(a, b), conflicts(b, a)]).toEqual(overlap ? [1, 1] : [0, 0]);
});

test('an exclusion owns nothing beside other scopes and everything alone', () => {
  expect(scopePrefixes(['src/**', '!src/gen/**', './src/'])).toEqual(['src']);
  expect(scopePrefixes(['!src/**'])).toEqual(['.']);
  expect(scopePrefixes([])).toEqual([]);
});

const segment = fc.constantFrom(
  'a',
  'b',
  'a*',
  '*',
  '**',
  '?',
  '[ab]',
  '{a,b}',
  '{a}',
  '{a/b,b}',
  '@(a|b)',
  '!(a)',
  '(a|b)',
  String.raw`\*`,
  String.raw`\{a\}`,
  'a.b',
  '+',
  '..a',
);
const path = fc.array(fc.constantFrom('a', 'b', '*', '{a}', 'a.b', '+', '..a', 'ab'), {
  minLength: 1,
  maxLength: 4,
});

test('whatever a glob matches is its prefix or below it', () => {
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), path, (segments, steps) => {
      const glob = segments.join('/');
      const file = steps.join('/');
      fc.pre(picomatch(glob, { dot: true })(file));
      const prefix = scopePrefix(glob);
      expect(prefix === '.' || `${file}/`.startsWith(`${prefix}/`)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
