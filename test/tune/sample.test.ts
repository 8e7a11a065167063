import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { countsToTry, firstSample, isTriable, kindOf, sampleOf } from '../../src/tune/sample.ts';
import { commandStep, moduleStep, runStep, toolStep, workstream } from '../kit/definitions.ts';

const needs = (...ids: string[]) => ({
  dependsOn: ids.map((id) => ({ id, when: 'completed' }) as const),
});
const ids = (workstreams: readonly Workstream[]): string[] => workstreams.map(({ id }) => id);
const many = (name: string, count: number, fields: Partial<Workstream> = {}): Workstream[] =>
  Array.from({ length: count }, (_, index) =>
    workstream(`${name}-${index + 1}`, [moduleStep(`/${name}.mjs`)], fields),
  );

test.each([
  [1, 100, [1, 2, 4]],
  [2, 100, [1, 2, 4, 8]],
  [1.5, 100, [1, 2, 4, 8]],
  [6, 100, [1, 2, 4, 6, 8, 16]],
  [2, 3, [1, 2]],
  [2, 0, [1]],
])('on %d cores with %d workstreams these are tried: %j', (cores, workstreams, counts) => {
  expect(countsToTry(cores, workstreams)).toEqual(counts);
});

test('what costs money, leaves commits, can not run, or needs such a one is left out', () => {
  const workstreams = [
    workstream('ws-plain', [runStep('true')]),
    workstream('ws-tool', [runStep('true'), toolStep('claude')], { workspace: 'worktree' }),
    workstream('ws-tree', [runStep('true')], { workspace: 'worktree' }),
    workstream('ws-after', [], needs('ws-tool', 'ws-plain')),
    workstream('ws-last', [], needs('ws-after')),
    workstream('ws-fine', [], needs('ws-plain')),
    workstream('ws-lost', [], needs('ws-broken')),
  ];
  const failure: Failure = { reason: 'invalid-workstream', problems: [] };
  const source = { file: 'a.json', position: 0 };
  const broken = [{ id: 'ws-broken', title: '', source, failure }];
  const { workstreams: left, leftOut } = isTriable({ workstreams, broken });
  expect(ids(left)).toEqual(['ws-plain', 'ws-fine']);
  expect(Object.fromEntries(leftOut.map(({ id, why }) => [id, why]))).toEqual({
    'ws-broken': 'broken',
    'ws-tool': 'tool',
    'ws-tree': 'worktree',
    'ws-after': 'needs-left-out',
    'ws-last': 'needs-left-out',
    'ws-lost': 'needs-left-out',
  });
});

test('a kind is what is done, whatever the values', () => {
  const kind = (...steps: Workstream['steps']): string => kindOf(workstream('x', steps));
  expect(kind(moduleStep('/a.mjs', 'default', 1))).toBe(kind(moduleStep('/a.mjs', 'default', 2)));
  expect(kind(moduleStep('/a.mjs'))).not.toBe(kind(moduleStep('/a.mjs', 'other')));
  expect(kind(runStep('npm test -- a'))).toBe(kind(runStep(' npm run b')));
  expect(kind(commandStep(['make', 'a']))).toBe(kind(commandStep(['make', 'b'])));
  expect(kind(commandStep(['make']))).not.toBe(kind(runStep('make')));
  expect(kindOf(workstream('x', [], { isolation: 'process' }))).not.toBe(kindOf(workstream('x', [])));
});

test('the first sample has a few of every kind, and what they need', () => {
  const all = [...many('slow', 50, needs('set-up-1')), ...many('set-up', 1), ...many('rare', 1)];
  expect(ids(firstSample(all)).toSorted()).toEqual(['rare-1', 'set-up-1', 'slow-1', 'slow-2']);
});

test('one that needs all others does not make the sample the whole', () => {
  const sweeps = many('sweep', 3000);
  const all = [...many('summary', 1, needs(...ids(sweeps))), ...sweeps];
  expect(ids(firstSample(all))).toEqual(['sweep-1', 'sweep-2']);
  const sample = sampleOf(all, { seconds: 20, least: 8, mayBeAll: true }, () => 10);
  expect(ids(sample)).toEqual(ids(sweeps.slice(0, 8)));
});

test('of a long chain its beginning is tried', () => {
  const chain = Array.from({ length: 300 }, (_, index) =>
    workstream(`ws-${index}`, [runStep('true')], index === 299 ? {} : needs(`ws-${index + 1}`)),
  );
  const [first, ...others] = ids(firstSample(chain)).toReversed();
  expect(first).toBe('ws-299');
  expect(others.length).toBeLessThan(200);
});

describe('the sample', () => {
  const all = [...many('slow', 20), ...many('quick', 60)];
  const seconds = ({ id }: Workstream): number => (id.startsWith('slow') ? 3 : 1);
  const count = (sample: readonly Workstream[], name: string): number =>
    sample.filter(({ id }) => id.startsWith(name)).length;

  test('has the kinds in proportion, and work for as long as is wanted', () => {
    const sample = sampleOf(all, { seconds: 30, least: 4, mayBeAll: true }, seconds);
    expect(sample.reduce((sum, each) => sum + seconds(each), 0)).toBeGreaterThanOrEqual(30);
    expect(sample.length).toBeLessThan(25);
    expect(count(sample, 'quick') / count(sample, 'slow')).toBeCloseTo(3, 0);
  });

  test('has as many as keep the most agents busy, however long they take', () => {
    expect(sampleOf(all, { seconds: 1, least: 32, mayBeAll: true }, seconds)).toHaveLength(32);
  });

  test('is everything where that is not more, in its order', () => {
    expect(ids(sampleOf(all, { seconds: 1e6, least: 1, mayBeAll: true }, seconds))).toEqual(ids(all));
  });

  test('has no more than a command line takes, unless it is everything', () => {
    const little = many('little', 5000);
    const sizeOf = (seconds: number, mayBeAll: boolean): number =>
      sampleOf(little, { seconds, least: 1, mayBeAll }, () => 0.001).length;
    expect([sizeOf(4, true), sizeOf(5.1, true), sizeOf(5.1, false)]).toEqual([2000, 5000, 2000]);
  });

  test('brings along what its members depend on', () => {
    const chain = [
      ...many('end', 1, needs('middle-1')),
      ...many('middle', 1, needs('set-up-1')),
      ...many('set-up', 9),
    ];
    expect(ids(sampleOf(chain, { seconds: 3, least: 1, mayBeAll: true }, () => 1))).toEqual([
      'end-1',
      'middle-1',
      'set-up-1',
    ]);
  });
});
