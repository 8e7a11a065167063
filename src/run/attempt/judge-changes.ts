/** Compares what a workstream changed with its scope. Pure. */
import picomatch from 'picomatch';
import type { Changes } from '../../domain/changes.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { runWithTimeout } from '../../os/run-with-timeout.ts';
import { messageOf } from '../../text/error-message.ts';
import { oneLine } from '../../text/printable.ts';

/** How changes outside the scope are treated. */
export type OutsideScope = 'warn' | 'merge' | 'park' | 'fail' | 'ignore';

export interface Judgement {
  /** Why the attempt failed after all; null when it succeeded. */
  failure: Failure | null;
  warnings: string[];
  /** Paths that its scope does not cover; empty without a scope, and where that is to be ignored. */
  outside: string[];
}

/** Most files that one sentence names. */
const NAMED = 20;
/** Where nothing shows whether it succeeded. */
const IDLE =
  'It changed no file, and neither files_scope nor an acceptance test says whether it was to: look at what it said.';
/** Longest that comparing may take, in milliseconds. */
const MATCHING_MS = 2_000;
/** Characters of a path in a sentence. */
const PATH_WIDTH = 300;

/**
 * Judges an attempt whose steps succeeded. What is in no commit can't be merged or built on, so work that is not known
 * is a failure. A tool with a scope that changed no file of it did not do its work, whatever it reports: what setup,
 * acceptance tests and the tool itself left elsewhere was not asked for. A conflict that it left half resolved is a
 * failure too, unless acceptance tests passed on it.
 */
export function judgeChanges(workstream: Workstream, changes: Changes, policy: OutsideScope): Judgement {
  const { filesScope, filesCreate, steps } = workstream;
  if (changes.source === 'git' && changes.head === null) {
    const detail = changes.notes.at(-1) ?? 'What it changed is not known.';
    return { failure: { reason: 'workspace-error', detail }, warnings: [], outside: [] };
  }
  const scope = [...filesScope, ...filesCreate];
  if (!steps.some(({ kind }) => kind === 'tool'))
    return { failure: null, warnings: markersIn(changes), outside: [] };
  const isUntested = workstream.acceptanceTests.length + workstream.testGates.length === 0;
  if (isUntested && changes.conflictMarkers.length > 0) {
    const files = named(changes.conflictMarkers);
    return { failure: { reason: 'conflict-markers', files }, warnings: [], outside: [] };
  }
  if (scope.length === 0) {
    const isIdle = changes.source === 'git' && changes.files.length === 0;
    return { failure: null, warnings: isIdle && isUntested ? [IDLE] : markersIn(changes), outside: [] };
  }
  const divided = divideInTime(scope, changes);
  if ('reason' in divided) return { failure: divided, warnings: [], outside: [] };
  const { inside, outside } = divided;
  const files = named(outside);
  if (policy === 'fail' && files.length > 0)
    return { failure: { reason: 'outside-scope', files }, warnings: [], outside };
  const warnings =
    policy === 'ignore' || files.length === 0
      ? []
      : [`It changed files outside its files_scope: ${files.join(', ')}.`];
  return {
    failure: inside === 0 ? { reason: 'no-changes', scope } : null,
    warnings: [...warnings, ...markersIn(changes)],
    outside: policy === 'ignore' ? [] : outside,
  };
}

/** Where tests passed the markers may belong there, or nothing reads them: a person has to decide. */
const markersIn = ({ conflictMarkers }: Changes): string[] =>
  conflictMarkers.length === 0 ? [] : [`Conflict markers are left in ${named(conflictMarkers).join(', ')}.`];

/** A pathological glob can take years to match: then it is a failure, and the run goes on. */
function divideInTime(scope: readonly string[], changes: Changes): Divided | Failure {
  try {
    return runWithTimeout(MATCHING_MS, () => divide(scope, changes));
  } catch (error) {
    const why = messageOf(error);
    const detail = `What it changed could not be compared with its files_scope, which needs simpler globs: ${why}`;
    return { reason: 'workspace-error', detail };
  }
}

interface Divided {
  inside: number;
  outside: string[];
}

/** How many changed paths the scope covers, and which it does not; a path covers what is below it too. */
function divide(scope: readonly string[], changes: Changes): Divided {
  const covers = coverage(scope);
  const paths = [
    ...new Set(changes.files.flatMap(({ path, from }) => (from === null ? [path] : [path, from]))),
  ];
  const outside = paths.filter((path) => !covers(path));
  return { inside: paths.length - outside.length, outside };
}

/** The first of them, in one line each. */
function named(paths: readonly string[]): string[] {
  const shown = paths.slice(0, NAMED).map((path) => oneLine(path, PATH_WIDTH));
  return paths.length <= NAMED ? shown : [...shown, `${paths.length - NAMED} more`];
}

/** A glob that begins with `!` excludes from the others; alone it excludes from everything. */
function coverage(scope: readonly string[]): (path: string) => boolean {
  const entries = scope.map((entry) => entry.replace(/^\.\//, '').replace(/\/+$/, ''));
  const isNegated = (entry: string): boolean => entry.startsWith('!') && entry[1] !== '(';
  const owned = entries.filter((entry) => !isNegated(entry));
  const isEverything = owned.length === 0 || owned.some((entry) => entry === '.' || entry === '');
  const globs = isEverything ? ['**'] : owned.flatMap((entry) => [entry, `${entry}/**`]);
  const ignore = entries.filter(isNegated).map((entry) => entry.slice(1));
  // A name may hold a line end, which `*` has to match like any other character.
  const matches = picomatch(globs, { dot: true, ignore, flags: 's' });
  // A path can be written like a glob: app/[id]/page.tsx.
  const literal = new Set(owned);
  return (path) => literal.has(path) || matches(path);
}
