import { describe, expect, test } from 'vitest';
import { mergeOptions, parseOptions, storedOptions } from '../../../src/app/options.ts';
import { planResume } from '../../../src/app/resume/resume.ts';
import { completedIn, failuresOf } from '../../../src/app/resume/retry-failed.ts';
import type { EarlierResult } from '../../../src/domain/history/earlier-run.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import type { StoredRun } from '../../../src/store/read/earlier-run.ts';
import { makeFolder, type Sketch } from '../../kit/make-workstream.ts';
import { storedRun } from '../../kit/stored-run.ts';

const result = (workstreamId: string, fields: Partial<EarlierResult> = {}): EarlierResult => ({
  workstreamId,
  title: workstreamId,
  file: 'workstreams/all.json',
  position: 0,
  status: 'completed',
  reason: null,
  definitionHash: `hash of ${workstreamId}`,
  durationSeconds: 1,
  cpuSeconds: null,
  cpuWaitSeconds: null,
  branch: null,
  toMerge: null,
  leftUnmerged: null,
  couldNotMerge: false,
  ...fields,
});
const failed = (id: string, reason = 'thrown') => result(id, { status: 'failed', reason });
const skipped = (id: string, reason: string) => result(id, { status: 'skipped', reason });

const run = (results: EarlierResult[], unfinished: string[] = []): StoredRun =>
  storedRun({
    results,
    unfinished: unfinished.map((workstreamId) => ({ workstreamId, title: workstreamId, file: 'a.json' })),
    workedSeconds: 3,
  });

function resumed(earlier: StoredRun, sketches: Sketch[], only: string[] | null = null) {
  const plan = makePlan(makeFolder(sketches), new Map());
  const ids = only === null ? null : new Set(only);
  const { resumed: made, ...rest } = planResume(earlier, { plan, outside: new Map() }, ids, null);
  return { ...made, ...rest };
}

const ids = (results: readonly EarlierResult[]): string[] => results.map(({ workstreamId }) => workstreamId);

const POSITIONS =
  'The members of the matrix of ws-m had ids of their positions in that run, and have ids of their values now. To keep those of that run, write "ids": "position" beside "matrix".';

describe('what is left of an interrupted run', () => {
  test('is what has no result, was interrupted, or was skipped because of that', () => {
    const earlier = run(
      [
        result('a'),
        failed('b'),
        skipped('c', 'interrupted'),
        skipped('d', 'dependency-failed'),
        skipped('e', 'dependency-failed'),
        skipped('f', 'skipped-by-user'),
      ],
      ['g'],
    );
    const sketches = [
      { id: 'a' },
      { id: 'b' },
      { id: 'c' },
      { id: 'd', needs: ['b'] },
      { id: 'e', needs: ['c'] },
      { id: 'f' },
      { id: 'g' },
    ];
    const { toRun, discarded, inheritance, counts, total, isPartial, notices } = resumed(earlier, sketches);
    expect(toRun.toSorted()).toEqual(['c', 'e', 'g']);
    expect(discarded.toSorted()).toEqual(['c', 'e']);
    expect(ids(inheritance.kept)).toEqual(['a', 'b', 'd', 'f']);
    expect({ counts, total, isPartial, notices }).toEqual({
      counts: { completed: 1, failed: 1, skipped: 2 },
      total: 7,
      isPartial: false,
      notices: [],
    });
  });

  test('what changed is run again, with what was skipped because of it', () => {
    const earlier = run([result('a'), failed('b'), skipped('c', 'dependency-failed')]);
    const sketches = [{ id: 'a' }, { id: 'b', hash: 'another' }, { id: 'c', needs: ['b'] }];
    const { toRun, discarded, notices } = resumed(earlier, sketches);
    expect(toRun.toSorted()).toEqual(['b', 'c']);
    expect(discarded.toSorted()).toEqual(['b', 'c']);
    expect(notices).toEqual(['The definition of b changed since the run was interrupted: it is run again.']);
  });

  test('with names the others stay as they are, and the run is not at its end', () => {
    const earlier = run([result('a'), skipped('b', 'interrupted'), skipped('c', 'interrupted')], ['d']);
    const sketches = [{ id: 'a', hash: 'another' }, { id: 'b' }, { id: 'c' }, { id: 'd' }];
    const { toRun, discarded, inheritance, total, isPartial } = resumed(earlier, sketches, ['b']);
    expect({ toRun, discarded, left: [...inheritance.left], total, isPartial }).toEqual({
      toRun: ['b'],
      discarded: ['b'],
      left: ['d'],
      total: 4,
      isPartial: true,
    });
    expect(ids(inheritance.kept)).toEqual(['a', 'c']);
  });

  test('what is in no file any more is a failure, and what came since is run too', () => {
    const earlier = run([result('a'), result('b'), skipped('c', 'interrupted')], ['d']);
    const { toRun, plan, inheritance, total, notices } = resumed(earlier, [{ id: 'a' }, { id: 'e' }]);
    expect(toRun).toEqual(['e']);
    expect(plan.broken.map(({ id, failure }) => [id, failure.reason])).toEqual([
      ['c', 'invalid-workstream'],
      ['d', 'invalid-workstream'],
    ]);
    expect(ids(inheritance.kept)).toEqual(['a', 'b']);
    expect(total).toBe(5);
    expect(notices).toEqual(['1 workstream came since the run was interrupted, and is run too: e.']);
  });

  test('members of a matrix that had ids of their positions are named with what keeps these', () => {
    const earlier = run([result('ws-m-1')], ['ws-m-2', 'ws-other-1']);
    const { notices } = resumed(earlier, [{ id: 'ws-m-seed-7', base: 'ws-m', matrix: { seed: 7 } }]);
    expect(notices.at(-1)).toBe(POSITIONS);
  });

  test('a definition that could not be run counts as it is now', () => {
    const earlier = run([
      failed('mended', 'missing-dependency'),
      failed('file', 'invalid-workstream'),
      failed('loop', 'cycle'),
      result('fine'),
    ]);
    const sketches = [{ id: 'mended' }, { id: 'loop', needs: ['loop'] }, { id: 'fine', needs: ['fine'] }];
    const { toRun, discarded, plan, inheritance, notices } = resumed(earlier, sketches);
    expect(toRun).toEqual(['mended']);
    expect(discarded.toSorted()).toEqual(['file', 'mended']);
    expect(plan.broken).toEqual([]);
    expect(ids(inheritance.kept)).toEqual(['loop', 'fine']);
    expect(notices).toEqual(["The definition of fine can't be used any more; its earlier result stays."]);
  });
});

describe('what is tried again', () => {
  const earlier = run([
    result('a'),
    failed('b'),
    skipped('c', 'dependency-failed'),
    skipped('d', 'circuit-open'),
    skipped('e', 'interrupted'),
    skipped('f', 'skipped-by-user'),
    failed('all', 'invalid-workstream'),
  ]);

  test('is what failed and what was skipped because of that, as far as it is defined', () => {
    const folder = makeFolder([{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'g' }]);
    expect(failuresOf(earlier, folder)).toEqual({
      ids: ['b', 'c', 'g'],
      notices: ['In no file any more, so not tried again: d.'],
    });
    expect(() => failuresOf(run([result('a')]), folder)).toThrow('Nothing failed in ma-run-20260102-030405');
    expect(() => failuresOf(run([failed('z')]), folder)).toThrow('in no file any more: z');
  });

  test('names the members of a matrix that had ids of their positions', () => {
    const folder = makeFolder([{ id: 'b' }, { id: 'ws-m-seed-7', base: 'ws-m', matrix: { seed: 7 } }]);
    const { ids: found, notices } = failuresOf(run([failed('b'), failed('ws-m-1')]), folder);
    expect(found).toEqual(['b']);
    expect(notices).toEqual(['In no file any more, so not tried again: ws-m-1.', POSITIONS]);
    expect(() => failuresOf(run([failed('ws-m-1')]), folder)).toThrow(POSITIONS);
  });

  test('a dependency counts as met if it completed there as it is defined now', () => {
    const isMet = completedIn(earlier);
    expect([isMet('a', 'hash of a'), isMet('a', 'another'), isMet('b', 'hash of b'), isMet('z', '')]).toEqual(
      [true, false, false, false],
    );
  });
});

test('options are those of the earlier run, unless they are given', () => {
  const { options } = parseOptions({
    agentsCount: 7,
    timeoutSeconds: 5,
    reports: 'r',
    select: ['ws-*'],
    logLevel: 'debug',
    state: 's',
  });
  const stored = storedOptions(options);
  expect(stored).not.toHaveProperty('logLevel');
  expect(mergeOptions(stored, parseOptions({ timeoutSeconds: 9, state: 'here' }))).toMatchObject({
    agentsCount: 7,
    timeoutSeconds: 9,
    reports: 'r',
    select: ['ws-*'],
    state: 'here',
    logLevel: 'info',
  });
  expect(mergeOptions({ agentsCount: 'many', unknown: 1 }, parseOptions({}))).toMatchObject({
    agentsCount: 3,
  });
  expect(mergeOptions(null, parseOptions({}))).toEqual(parseOptions({}).options);
});
