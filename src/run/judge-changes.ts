/** Whether what a workstream changed is what it was told to change. Pure. */
import picomatch from 'picomatch';
import type { Changes } from '../domain/changes.ts';
import type { Failure } from '../domain/failure.ts';
import type { Workstream } from '../domain/workstream.ts';

/** What becomes of changes outside the scope. */
export type OutsideScope = 'warn' | 'fail' | 'ignore';

export interface Judgement {
  /** Why the success is none; null when it is one. */
  failure: Failure | null;
  warnings: string[];
}

/** Most files that one sentence names. */
const NAMED = 20;

/**
 * Judges an attempt whose steps succeeded. Only workstreams with a tool step are: a tool that was told to change files
 * and changed none did not do its work, whatever it says. Where it is not known what changed, nothing is judged.
 */
export function judgeChanges(workstream: Workstream, changes: Changes, policy: OutsideScope): Judgement {
  const { filesScope, filesCreate, steps } = workstream;
  const scope = [...filesScope, ...filesCreate];
  if (scope.length === 0 || !steps.some(({ kind }) => kind === 'tool'))
    return { failure: null, warnings: [] };
  const isUnknown = changes.source === 'git' && changes.head === null;
  if (isUnknown) return { failure: null, warnings: [] };
  if (changes.files.length === 0) return { failure: { reason: 'no-changes', scope }, warnings: [] };
  const files = policy === 'ignore' ? [] : outside(scope, changes);
  if (files.length === 0) return { failure: null, warnings: [] };
  if (policy === 'fail') return { failure: { reason: 'outside-scope', files }, warnings: [] };
  return { failure: null, warnings: [`It changed files outside its files_scope: ${files.join(', ')}.`] };
}

/** The changed paths that no path or glob of the scope covers; a path covers what is below it too. */
function outside(scope: readonly string[], changes: Changes): string[] {
  const covers = coverage(scope);
  const paths = changes.files.flatMap(({ path, from }) => (from === null ? [path] : [path, from]));
  const found = [...new Set(paths)].filter((path) => !covers(path));
  return found.length <= NAMED ? found : [...found.slice(0, NAMED), `${found.length - NAMED} more`];
}

/** A glob that begins with `!` takes away from the others; alone it takes away from everything. */
function coverage(scope: readonly string[]): (path: string) => boolean {
  const entries = scope.map((entry) => entry.replace(/^\.\//, '').replace(/\/+$/, ''));
  const isNegated = (entry: string): boolean => entry.startsWith('!') && entry[1] !== '(';
  const owned = entries.filter((entry) => !isNegated(entry));
  const isEverything = owned.length === 0 || owned.some((entry) => entry === '.' || entry === '');
  const globs = isEverything ? ['**'] : owned.flatMap((entry) => [entry, `${entry}/**`]);
  const ignore = entries.filter(isNegated).map((entry) => entry.slice(1));
  const matches = picomatch(globs, { dot: true, ignore });
  // A name may look like a glob: app/[id]/page.tsx.
  const literal = new Set(owned);
  return (path) => literal.has(path) || matches(path);
}
