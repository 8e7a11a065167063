import { expect, test } from 'vitest';
import { Dependencies } from '../../src/run/dependencies.ts';
import { workstream } from '../rig/definitions.ts';

const needs = (id: string, ...on: string[]) =>
  workstream(id, [], { dependsOn: on.map((dependency) => ({ id: dependency, when: 'completed' })) });
const follows = (id: string, on: string) => workstream(id, [], { dependsOn: [{ id: on, when: 'finished' }] });

test('what needs nothing is free, and the rest becomes ready when its last dependency completes', () => {
  const dependencies = new Dependencies([needs('a'), needs('b'), needs('c', 'a', 'b')]);
  expect(dependencies.free()).toEqual([0, 1]);
  expect(dependencies.settle('a', 'completed', '')).toEqual({ ready: [], doomed: [] });
  expect(dependencies.settle('b', 'completed', '')).toEqual({ ready: [2], doomed: [] });
});

test('a failure dooms what needs it, through any number of steps, each once and with its own reason', () => {
  const dependencies = new Dependencies([needs('a'), needs('b', 'a'), needs('c', 'b', 'a'), needs('d', 'c')]);
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
  const dependencies = new Dependencies([needs('a'), needs('b', 'a'), follows('c', 'b'), follows('d', 'a')]);
  const { ready, doomed } = dependencies.settle('a', 'failed', 'failed');
  expect(doomed.map(({ index }) => index)).toEqual([1]);
  expect(ready.toSorted((a, b) => a - b)).toEqual([2, 3]);
});

test('a chain of 100,000 is doomed without recursion', () => {
  const chain = Array.from({ length: 100_000 }, (_, index) =>
    index === 0 ? needs('w0') : needs(`w${index}`, `w${index - 1}`),
  );
  expect(new Dependencies(chain).settle('w0', 'failed', 'failed').doomed).toHaveLength(99_999);
});
