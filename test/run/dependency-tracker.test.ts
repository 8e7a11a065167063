import { expect, test } from 'vitest';
import { DependencyTracker } from '../../src/run/dependency-tracker.ts';
import { workstream } from '../kit/definitions.ts';

const needs = (id: string, ...on: string[]) =>
  workstream(id, [], { dependsOn: on.map((dependency) => ({ id: dependency, when: 'completed' })) });
const follows = (id: string, on: string) => workstream(id, [], { dependsOn: [{ id: on, when: 'finished' }] });

test('what needs nothing is free, and the rest becomes ready when its last dependency completes', () => {
  const dependencies = new DependencyTracker([needs('a'), needs('b'), needs('c', 'a', 'b')]);
  expect(dependencies.free()).toEqual([0, 1]);
  expect(dependencies.settle('a', 'completed', '')).toEqual({ ready: [], doomed: [] });
  expect(dependencies.settle('b', 'completed', '')).toEqual({ ready: [2], doomed: [] });
});

test('a failure dooms what needs it, through any number of steps, each once and with its own reason', () => {
  const dependencies = new DependencyTracker([
    needs('a'),
    needs('b', 'a'),
    needs('c', 'b', 'a'),
    needs('d', 'c'),
  ]);
  const { ready, doomed } = dependencies.settle('a', 'failed', 'failed (timed-out)');
  expect(ready).toEqual([]);
  expect(doomed).toEqual([
    { index: 1, failure: { reason: 'dependency-failed', dependency: 'a', detail: 'failed (timed-out)' } },
    { index: 2, failure: { reason: 'dependency-failed', dependency: 'a', detail: 'failed (timed-out)' } },
    {
      index: 3,
      failure: { reason: 'dependency-failed', dependency: 'c', detail: 'was skipped (dependency-failed)' },
    },
  ]);
});

test('any end meets a dependency on the end, also that of something doomed', () => {
  const dependencies = new DependencyTracker([
    needs('a'),
    needs('b', 'a'),
    follows('c', 'b'),
    follows('d', 'a'),
  ]);
  const { ready, doomed } = dependencies.settle('a', 'failed', 'failed');
  expect(doomed.map(({ index }) => index)).toEqual([1]);
  expect(ready.toSorted((a, b) => a - b)).toEqual([2, 3]);
});

test('a chain of 100,000 is doomed without recursion', () => {
  const chain = Array.from({ length: 100_000 }, (_, index) =>
    index === 0 ? needs('w0') : needs(`w${index}`, `w${index - 1}`),
  );
  expect(new DependencyTracker(chain).settle('w0', 'failed', 'failed').doomed).toHaveLength(99_999);
});

const gated = (id: string, gate: number | null, ...on: string[]) => ({ ...needs(id, ...on), gate });

test('a stage starts when all work of the stages before has ended, however it ended', () => {
  const dependencies = new DependencyTracker([
    gated('a', 1),
    gated('b', 1),
    gated('c', 5),
    gated('d', 9),
    gated('e', null),
  ]);
  expect(dependencies.free()).toEqual([0, 1, 4]);
  expect(dependencies.hasDependents('a')).toBe(true);
  expect(dependencies.settle('a', 'completed', '').ready).toEqual([]);
  expect(dependencies.settle('b', 'failed', '').ready).toEqual([2]);
  expect(dependencies.settle('c', 'skipped', '').ready).toEqual([3]);
});

test('a stage whose members can not run any more does not keep the next one waiting', () => {
  const dependencies = new DependencyTracker([gated('a', 1), gated('b', 2, 'a'), gated('c', 3)]);
  const { ready, doomed } = dependencies.settle('a', 'failed', 'failed');
  expect(doomed.map(({ index }) => index)).toEqual([1]);
  expect(ready).toEqual([2]);
});

test('what a stage needs belongs to it, whatever it says', () => {
  const dependencies = new DependencyTracker([gated('a', 1, 'b'), gated('b', 2), gated('c', 2)]);
  expect(dependencies.free()).toEqual([1]);
  expect(dependencies.settle('b', 'completed', '').ready).toEqual([0]);
  expect(dependencies.settle('a', 'completed', '').ready).toEqual([2]);
});

test('also through what belongs to no stage', () => {
  const dependencies = new DependencyTracker([
    gated('a', 1, 'b'),
    gated('b', null, 'c'),
    gated('c', 3),
    gated('d', 2),
  ]);
  expect(dependencies.free()).toEqual([2]);
  expect(dependencies.settle('c', 'completed', '').ready).toEqual([1]);
  expect(dependencies.settle('b', 'completed', '').ready).toEqual([0]);
  expect(dependencies.settle('a', 'completed', '').ready).toEqual([3]);
});

test('a stage that is needed by earlier ones as a whole keeps nobody waiting for ever', () => {
  const dependencies = new DependencyTracker([gated('a', 1, 'b'), gated('b', 2), gated('c', 3)]);
  expect(dependencies.free()).toEqual([1]);
  expect(dependencies.settle('b', 'completed', '').ready).toEqual([0]);
  expect(dependencies.settle('a', 'completed', '').ready).toEqual([2]);
});
