import { describe, expect, test } from 'vitest';
import type { Broken, LoadedFolder, Problem } from '../../src/domain/plan.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { select } from '../../src/plan/select.ts';
import { makeFolder } from '../kit/make-workstream.ts';

const problem = (severity: Problem['severity'], workstreamId: string | null, message: string): Problem => ({
  severity,
  file: 'workstreams/all.json',
  line: 3,
  column: 1,
  path: '',
  message,
  workstreamId,
});

const unreadable: Broken = {
  id: 'notes',
  title: 'notes',
  source: { file: 'workstreams/notes.json', position: 0 },
  failure: { reason: 'invalid-workstream', problems: ['notes.json:1:1: error: it is empty'] },
};
const twice: Broken = {
  id: 'twice',
  title: 'twice',
  source: { file: 'workstreams/all.json', position: 6 },
  failure: { reason: 'duplicate-id', id: 'twice', places: ['a.json', 'b.json'] },
};

const folder: LoadedFolder = {
  ...makeFolder(
    { id: 'fetch' },
    { id: 'build', needs: ['fetch'] },
    { id: 'sweep-1', base: 'sweep', needs: ['build'] },
    { id: 'sweep-2', base: 'sweep', needs: ['build'] },
    { id: 'publish', needs: ['sweep-1', 'sweep-2', 'notes', 'nowhere'] },
  ),
  broken: [unreadable, twice],
  problems: [
    problem('error', 'notes', 'it is empty'),
    problem('warning', 'build', 'odd'),
    problem('warning', null, 'an empty file'),
  ],
};

const ids = (workstreams: readonly { id: string }[]): string[] => workstreams.map(({ id }) => id);
const selected = (...patterns: string[]): string[] => {
  const { loaded } = select(folder, patterns, false);
  return [...ids(loaded.workstreams), ...ids(loaded.broken)];
};

test('what is no pattern for picomatch, and longer than any id, matches nothing', () => {
  for (const pattern of [
    '',
    'x'.repeat(70_000),
    '[',
    '!(',
    '{a,b',
    '../../etc',
    '-rf',
    '__proto__',
    'constructor',
  ])
    expect(select(folder, [pattern], true).unmatched.map((one) => one.pattern)).toEqual([pattern]);
});

describe('what a pattern selects', () => {
  test('nothing asked for is everything', () => {
    const selection = select(folder, [], false);
    expect(selection.loaded).toBe(folder);
    expect([selection.unselected.size, selection.leftOut.size, selection.unmatched]).toEqual([0, 0, []]);
  });

  test.each([
    [['build'], ['build']],
    [['sweep'], ['sweep-1', 'sweep-2']],
    [['sweep-2'], ['sweep-2']],
    [['sweep-*'], ['sweep-1', 'sweep-2']],
    [['{publish,fetch}'], ['fetch', 'publish']],
    [
      ['publish', 'fetch', 'publish'],
      ['fetch', 'publish'],
    ],
    [['!(sweep*)'], ['fetch', 'build', 'publish', 'notes', 'twice']],
    [['no*'], ['notes']],
    [['twice'], ['twice']],
  ])('%j', (patterns, expected) => {
    expect(selected(...patterns)).toEqual(expected);
  });

  test('what matches nothing is given back with the nearest id', () => {
    const { unmatched, loaded } = select(folder, ['fetsh', 'zzz*', '', 'build'], false);
    expect(unmatched).toEqual([
      { pattern: 'fetsh', suggestion: 'fetch' },
      { pattern: 'zzz*', suggestion: null },
      { pattern: '', suggestion: null },
    ]);
    expect(ids(loaded.workstreams)).toEqual(['build']);
  });
});

describe('dependencies', () => {
  test('those left out are named with the hash of their definition, broken ones with none', () => {
    const selection = select(folder, ['publish', 'sweep-2'], false);
    expect([...selection.leftOut]).toEqual([
      ['build', 'hash of build'],
      ['sweep-1', 'hash of sweep-1'],
      ['notes', null],
    ]);
    expect([...selection.unselected]).toEqual(['fetch', 'build', 'sweep-1', 'notes', 'twice']);
  });

  test('with them, everything needed is selected, broken ones too', () => {
    const selection = select(folder, ['publish'], true);
    expect(ids(selection.loaded.workstreams)).toEqual(['fetch', 'build', 'sweep-1', 'sweep-2', 'publish']);
    expect(ids(selection.loaded.broken)).toEqual(['notes']);
    expect([...selection.leftOut]).toEqual([]);
  });

  test('the plan of a selection misses only what is defined nowhere', () => {
    const some = select(folder, ['sweep-1', 'publish'], false);
    const plan = makePlan(some.loaded, new Map(), some.unselected);
    expect(ids(plan.workstreams)).toEqual(['sweep-1']);
    expect(plan.broken.map(({ id, failure }) => [id, failure.reason])).toEqual([
      ['publish', 'missing-dependency'],
    ]);
  });
});

describe('problems', () => {
  test('of broken ones that were not asked for are warnings, with or without a problem of their own', () => {
    const { problems } = select(folder, ['build'], false).loaded;
    expect(problems.map(({ severity, workstreamId, message }) => [severity, workstreamId, message])).toEqual([
      ['warning', 'notes', 'it is empty'],
      ['warning', 'build', 'odd'],
      ['warning', null, 'an empty file'],
      [
        'warning',
        'twice',
        'The id "twice" is used more than once: a.json and b.json. Give each workstream an id of its own.',
      ],
    ]);
  });

  test('of those asked for stay errors, and warnings about others are left out', () => {
    const { problems } = select(folder, ['notes', 'twice'], false).loaded;
    expect(problems.map(({ severity, workstreamId }) => [severity, workstreamId])).toEqual([
      ['error', 'notes'],
      ['warning', null],
    ]);
  });
});
