import { expect, test } from 'vitest';
import type { Changes } from '../../src/domain/changes.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { judgeChanges, type OutsideScope } from '../../src/run/judge-changes.ts';
import { runStep, workstream } from '../rig/definitions.ts';

const tool: Step = { ...runStep(''), kind: 'tool', tool: 'claude', tasks: ['x'] };

function judge(scope: string[], paths: string[], policy: OutsideScope = 'warn', steps: Step[] = [tool]) {
  const changes: Changes = {
    source: 'git',
    files: paths.map((path) => ({ path, from: null, status: 'modified', linesAdded: 1, linesRemoved: 0 })),
    commits: [],
    branch: null,
    base: null,
    head: 'h',
    contentHash: null,
    notes: [],
  };
  return judgeChanges(workstream('ws-a', steps, { filesScope: scope }), changes, policy);
}

test('a tool that was to change files and changed none has failed', () => {
  expect(judge(['src/**'], []).failure).toEqual({ reason: 'no-changes', scope: ['src/**'] });
  expect(judge([], []).failure).toBeNull();
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
])('scope %j covers %s: %s', (scope, path, covered) => {
  expect(judge(scope, [path], 'fail').failure).toEqual(
    covered ? null : { reason: 'outside-scope', files: [path] },
  );
});

test('what is outside the scope is a warning, a failure or nothing, as the run says', () => {
  expect(judge(['src/**'], ['src/a.ts', 'b.ts'], 'warn')).toEqual({
    failure: null,
    warnings: ['It changed files outside its files_scope: b.ts.'],
  });
  expect(judge(['src/**'], ['b.ts'], 'ignore')).toEqual({ failure: null, warnings: [] });
});

test('many files are named in part', () => {
  const paths = Array.from({ length: 30 }, (_, index) => `x${index}`);
  expect(judge(['src/**'], paths).warnings[0]).toMatch(/x19, 10 more\.$/);
});
