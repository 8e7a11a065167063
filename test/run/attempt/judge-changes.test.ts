import { expect, test } from 'vitest';
import type { Changes } from '../../../src/domain/changes.ts';
import type { Step } from '../../../src/domain/workstream.ts';
import { type Judgement, judgeChanges, type OutsideScope } from '../../../src/run/attempt/judge-changes.ts';
import { runStep, workstream } from '../../kit/definitions.ts';

const tool: Step = { ...runStep(''), kind: 'tool', tool: 'claude', tasks: ['x'] };

const changed = (paths: string[]): Changes => ({
  source: 'git',
  files: paths.map((path) => ({ path, from: null, status: 'modified', linesAdded: 1, linesRemoved: 0 })),
  commits: [],
  branch: null,
  base: null,
  head: 'h',
  contentHash: null,
  conflictMarkers: [],
  notes: [],
});

const judge = (
  scope: string[],
  paths: string[],
  policy: OutsideScope = 'warn',
  steps: Step[] = [tool],
): Judgement => judgeChanges(workstream('ws-a', steps, { filesScope: scope }), changed(paths), policy);

test('a tool that was to change files and changed none has failed', () => {
  expect(judge(['src/**'], []).failure).toEqual({ reason: 'no-changes', scope: ['src/**'] });
  expect(judge([], [])).toMatchObject({ failure: null, warnings: [expect.stringContaining('no file')] });
  expect(judge([], ['a.ts'])).toEqual({ failure: null, warnings: [], outside: [] });
  expect(judge(['src/**'], [], 'warn', [runStep('x')]).failure).toBeNull();
});

test.each([
  [['src/**'], 'src/a.ts', true],
  [['src'], 'src/deep/a.ts', true],
  [['./src/'], 'src/a.ts', true],
  [['src/*.ts'], 'src/deep/a.ts', false],
  [['.'], 'anything', true],
  [['src/**', '!src/secret/**'], 'src/secret/a.ts', false],
  [['!docs/**'], 'src/a.ts', true],
  [['!docs/**'], 'docs/a.md', false],
  [['app/[id]/page.tsx'], 'app/[id]/page.tsx', true],
  [['src/**'], '.github/x.yml', false],
  [['**'], '.github/x.yml', true],
  [['src/**'], 'src/a\nb.ts', true],
])('scope %j covers %s: %s', (scope, path, covered) => {
  expect(judge(scope, [path], 'fail').failure).toEqual(
    covered ? null : { reason: 'outside-scope', files: [path] },
  );
});

test('what is outside the scope is a warning, a failure or nothing, as the run says', () => {
  expect(judge(['src/**'], ['src/a.ts', 'b.ts'], 'warn')).toEqual({
    failure: null,
    warnings: ['It changed files outside its files_scope: b.ts.'],
    outside: ['b.ts'],
  });
  expect(judge(['src/**'], ['src/a.ts', 'b.ts'], 'ignore')).toEqual({
    failure: null,
    warnings: [],
    outside: [],
  });
  expect(judge(['src/**'], ['src/a.ts', 'b.ts'], 'park')).toMatchObject({ failure: null, outside: ['b.ts'] });
});

test('changes that are all outside the scope are not the work that was asked for', () => {
  expect(judge(['src/**'], ['coverage/index.html'])).toEqual({
    failure: { reason: 'no-changes', scope: ['src/**'] },
    warnings: ['It changed files outside its files_scope: coverage/index.html.'],
    outside: ['coverage/index.html'],
  });
  expect(judge(['src/**'], ['b.ts'], 'ignore').failure).toMatchObject({ reason: 'no-changes' });
  expect(judge(['src/**'], ['b.ts'], 'fail').failure).toMatchObject({ reason: 'outside-scope' });
});

test('work that is in no commit is a failure, whatever the workstream is', () => {
  const unknown = { ...changed([]), head: null, notes: ['What it changed is not known: no index.'] };
  const failure = { reason: 'workspace-error', detail: 'What it changed is not known: no index.' };
  for (const steps of [[tool], [runStep('x')]])
    expect(judgeChanges(workstream('ws-a', steps), unknown, 'warn')).toEqual({
      failure,
      warnings: [],
      outside: [],
    });
});

test('conflict markers that a tool left are a failure, or a warning where a test passed on them', () => {
  const marked = { ...changed(['a.txt']), conflictMarkers: ['a.txt'] };
  expect(judgeChanges(workstream('ws-a', [tool]), marked, 'warn').failure).toEqual({
    reason: 'conflict-markers',
    files: ['a.txt'],
  });
  const acceptanceTests = [{ kind: 'text', text: 'npm test' } as const];
  const warned = { failure: null, warnings: ['Conflict markers are left in a.txt.'], outside: [] };
  expect(judgeChanges(workstream('ws-a', [tool], { acceptanceTests }), marked, 'warn')).toEqual(warned);
  expect(judgeChanges(workstream('ws-a', [runStep('x')]), marked, 'warn')).toEqual(warned);
});

test('many files are named in part', () => {
  const paths = Array.from({ length: 30 }, (_, index) => `x${index}`);
  expect(judge(['src/**'], paths).warnings[0]).toMatch(/x19, 10 more\.$/);
});

test('a glob that takes years to match a name costs only its own workstream', () => {
  const { failure } = judge(['*(a|*a)*(a|*a)*(a|*a)c'], [`${'a'.repeat(60)}!`]);
  expect(failure).toMatchObject({
    reason: 'workspace-error',
    detail: expect.stringContaining('simpler globs'),
  });
  expect(judge(['x'.repeat(70_000)], ['a']).failure).toMatchObject({ reason: 'workspace-error' });
});
