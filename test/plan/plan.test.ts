import { expect, test } from 'vitest';
import type { Broken } from '../../src/domain/plan.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { makeFolder, makeWorkstream } from '../kit/make-workstream.ts';

const ids = (workstreams: readonly { id: string }[]): string[] => workstreams.map(({ id }) => id);
const NOTHING_KNOWN = new Map<string, number>();

const unreadable: Broken = {
  id: 'unreadable',
  title: 'unreadable',
  source: { file: 'workstreams/unreadable.json', position: 0 },
  failure: {
    reason: 'invalid-workstream',
    problems: ['workstreams/unreadable.json:1:1: error: it is empty'],
  },
};

test('order, waves, critical path and expected seconds speak of the same workstreams', () => {
  const folder = makeFolder(
    { id: 'test', needs: ['build'] },
    { id: 'lint' },
    { id: 'build', needs: ['fetch'] },
    { id: 'urgent', priority: 2 },
    { id: 'fetch' },
  );
  const plan = makePlan(
    folder,
    new Map([
      ['build', 5],
      ['lint', 7],
      ['fetch', 1],
    ]),
  );
  expect(ids(plan.workstreams)).toEqual(['urgent', 'fetch', 'build', 'lint', 'test']);
  expect([...plan.waveOf]).toEqual([0, 0, 1, 0, 2]);
  expect(plan.criticalPath).toEqual({ ids: ['fetch', 'build', 'test'], seconds: 11 });
  expect([...plan.expectedSeconds]).toEqual([5, 1, 5, 7, 5]);
  expect([plan.known, plan.broken, plan.problems, plan.conflicts]).toEqual([3, [], [], []]);
});

test('an empty folder is an empty plan', () => {
  const plan = makePlan(makeFolder(), NOTHING_KNOWN);
  expect([plan.workstreams, [...plan.waveOf], plan.criticalPath]).toEqual([[], [], { ids: [], seconds: 0 }]);
});

test('the order of the folder does not depend on the order in which files were read', () => {
  const workstreams = [
    makeWorkstream({ id: 'c', source: { file: 'b.json', position: 1 } }),
    makeWorkstream({ id: 'b', source: { file: 'b.json', position: 0 } }),
    makeWorkstream({ id: 'a', source: { file: 'a.json', position: 0 } }),
  ];
  const plan = makePlan({ workstreams, broken: [], problems: [], files: 2 }, NOTHING_KNOWN);
  expect(ids(plan.workstreams)).toEqual(['a', 'b', 'c']);
});

test('members of a cycle and dependencies that do not exist are broken, each with a problem', () => {
  const folder = makeFolder(
    { id: 'ws-a', needs: ['ws-b'] },
    { id: 'ws-b', needs: ['ws-a', 'nowhere'] },
    { id: 'ws-typo', needs: ['ws-lats'] },
    { id: 'ws-last' },
  );
  const plan = makePlan(folder, NOTHING_KNOWN);
  const path = ['ws-a', 'ws-b', 'ws-a'];
  expect(plan.broken.map(({ id, failure }) => [id, failure])).toEqual([
    ['ws-a', { reason: 'cycle', path }],
    ['ws-b', { reason: 'cycle', path }],
    ['ws-typo', { reason: 'missing-dependency', missing: 'ws-lats', suggestion: 'ws-last' }],
  ]);
  expect(ids(plan.workstreams)).toEqual(['ws-last']);
  expect(plan.problems[2]).toEqual({
    severity: 'error',
    file: 'workstreams/all.json',
    line: null,
    column: null,
    path: 'depends_on',
    message: 'ws-typo: It depends on "ws-lats", which is in no file. Did you mean "ws-last"?',
    workstreamId: 'ws-typo',
  });
  expect(plan.problems.length).toBe(3);
});

test('what depends on something broken stays in the plan, in the wave of what it can still wait for', () => {
  const folder = makeFolder(
    { id: 'self', needs: ['self'] },
    { id: 'after', needs: ['self', 'unreadable'] },
    { id: 'last', needs: ['~after', 'gone'] },
    { id: 'end', needs: ['last', 'after'] },
  );
  const plan = makePlan({ ...folder, broken: [unreadable] }, NOTHING_KNOWN);
  expect(ids(plan.broken)).toEqual(['unreadable', 'self', 'last']);
  expect(ids(plan.workstreams)).toEqual(['after', 'end']);
  expect([...plan.waveOf]).toEqual([0, 1]);
});

test('a dependency that is not part of this run is not missing, and is no suggestion lost', () => {
  const folder = makeFolder({ id: 'a', needs: ['elsewhere'] }, { id: 'b', needs: ['elsewere'] });
  const plan = makePlan(folder, NOTHING_KNOWN, new Set(['elsewhere']));
  expect(ids(plan.workstreams)).toEqual(['a']);
  expect(plan.broken[0]?.failure).toEqual({
    reason: 'missing-dependency',
    missing: 'elsewere',
    suggestion: 'elsewhere',
  });
});

const needing = (missing: string[]) => missing.map((id, n) => ({ id: `ws-${id}-${n}`, needs: [id] }));

test('the nearest id is looked for 20 times at most, once for each missing id', () => {
  const misspelt = Array.from({ length: 30 }, (_, n) => `knowm-word-${n}`);
  const folder = makeFolder(
    misspelt.map((_, n) => ({ id: `known-word-${n}` })),
    needing([...Array<string>(25).fill('knowm-word-0'), ...misspelt]),
  );
  const suggestions = makePlan(folder, NOTHING_KNOWN).broken.map(({ failure }) =>
    failure.reason === 'missing-dependency' ? failure.suggestion : failure.reason,
  );
  expect(suggestions.slice(0, 26)).toEqual(Array<string>(26).fill('known-word-0'));
  expect(suggestions.slice(26)).toEqual(
    misspelt.slice(1).map((_, n) => (n < 19 ? `known-word-${n + 1}` : null)),
  );
});

test('a chain of 100,000 is planned without recursion', () => {
  const chain = Array.from({ length: 100_000 }, (_, n) => ({
    id: `w${n}`,
    needs: n === 0 ? [] : [`w${n - 1}`],
  }));
  const plan = makePlan(makeFolder(chain), NOTHING_KNOWN);
  expect([Math.max(...plan.waveOf) + 1, plan.criticalPath.ids.length, plan.criticalPath.seconds]).toEqual([
    100_000, 100_000, 100_000,
  ]);
  expect(plan.workstreams[99_999]?.id).toBe('w99999');
});
