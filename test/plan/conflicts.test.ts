import { expect, test } from 'vitest';
import { findConflicts } from '../../src/plan/conflicts.ts';
import { makeWorkstreams } from '../kit/make-workstream.ts';

test('groups with one member are no conflict', () => {
  const workstreams = makeWorkstreams(
    { id: 'a', conflictGroup: 'db' },
    { id: 'b', conflictGroup: 'lonely' },
    { id: 'c', conflictGroup: 'db' },
  );
  expect(findConflicts(workstreams)).toEqual([{ kind: 'conflict-group', what: 'db', members: ['a', 'c'] }]);
});

test('overlapping scopes are one conflict for each outermost path', () => {
  const workstreams = makeWorkstreams(
    { id: 'a', scopes: ['src/plan/*.ts', 'docs/a.md'] },
    { id: 'b', scopes: ['src/run/**'] },
    { id: 'c', scopes: ['./src/'] },
    { id: 'd', scopes: ['docs/a.md', 'src/plan'] },
    { id: 'e', scopes: ['docs/e.md', 'docs/e.md'] },
  );
  expect(findConflicts(workstreams)).toEqual([
    { kind: 'scope', what: 'src', members: ['a', 'b', 'c', 'd'] },
    { kind: 'scope', what: 'docs/a.md', members: ['a', 'd'] },
  ]);
});

test('neighbours in one folder that nobody owns are no conflict', () => {
  const workstreams = makeWorkstreams(
    { id: 'a', scopes: ['src/a'] },
    { id: 'b', scopes: ['src/b', 'src/ab'] },
  );
  expect(findConflicts(workstreams)).toEqual([]);
});

test('what leads out of the folder overlaps with everything in it', () => {
  const workstreams = makeWorkstreams({ id: 'a', scopes: ['src'] }, { id: 'b', scopes: ['..'] });
  expect(findConflicts(workstreams)).toEqual([{ kind: 'scope', what: '..', members: ['a', 'b'] }]);
});

test('what runs alone is named', () => {
  expect(findConflicts(makeWorkstreams({ id: 'a' }, { id: 'b', parallelOk: false }))).toEqual([
    { kind: 'alone', what: 'b', members: ['b'] },
  ]);
});
