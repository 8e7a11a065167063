import picomatch from 'picomatch';
import { describeFailure } from '../domain/failure-message.ts';
import type { Broken, LoadedFolder, Problem } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import { nearest } from '../text/nearest.ts';

/** The part of a folder that was asked for. */
export interface Selection {
  loaded: LoadedFolder;
  /** Ids that are defined and not selected, for `makePlan`. */
  unselected: Set<string>;
  /**
   * Dependencies of what was selected that were not selected themselves: id to the hash of their definition; null
   * for a broken one, which has no definition that could have completed.
   */
  leftOut: Map<string, string | null>;
  unmatched: Unmatched[];
}

/** A pattern that selects nothing. */
interface Unmatched {
  pattern: string;
  /** The nearest id; null when none is near. */
  suggestion: string | null;
}

/** Most patterns for which the nearest id is looked for: each is compared with every id. */
const SUGGESTIONS = 20;

/**
 * Selects by id, by the base of a matrix (all its members), or by glob over ids; everything without a pattern.
 * `withDependencies` adds what the selected ones depend on, and so on. Broken workstreams that were not asked for
 * become warnings. The order stays that of the folder.
 */
export function select(
  loaded: LoadedFolder,
  patterns: readonly string[],
  withDependencies: boolean,
): Selection {
  if (patterns.length === 0) return { loaded, unselected: new Set(), leftOut: new Map(), unmatched: [] };
  const names = namesOf(loaded);
  const selected = new Set<string>();
  const unmatched: Unmatched[] = [];
  for (const pattern of new Set(patterns)) {
    const ids = matching(pattern, names);
    for (const id of ids) selected.add(id);
    if (ids.length > 0) continue;
    const search = unmatched.length < SUGGESTIONS;
    unmatched.push({ pattern, suggestion: search ? nearest(pattern, [...names.keys()]) : null });
  }
  const byId = new Map(loaded.workstreams.map((workstream) => [workstream.id, workstream]));
  if (withDependencies) addDependencies(selected, byId, names);
  const isSelected = ({ id }: { id: string }): boolean => selected.has(id);
  const workstreams = loaded.workstreams.filter(isSelected);
  return {
    loaded: {
      workstreams,
      broken: loaded.broken.filter(isSelected),
      problems: problemsOf(loaded, selected),
      files: loaded.files,
    },
    unselected: new Set(
      [...loaded.workstreams, ...loaded.broken].map(({ id }) => id).filter((id) => !selected.has(id)),
    ),
    leftOut: leftOut(workstreams, byId, names, selected),
    unmatched,
  };
}

/** Every id and base, with the ids that it selects. */
function namesOf({
  workstreams,
  broken,
}: Pick<LoadedFolder, 'workstreams' | 'broken'>): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { id } of [...workstreams, ...broken]) names.set(id, [id]);
  for (const { id, base } of workstreams) {
    if (base === id) continue;
    const members = names.get(base);
    if (members === undefined) names.set(base, [id]);
    else members.push(id);
  }
  return names;
}

/** Longest pattern in characters. */
const MAX_PATTERN = 4096;

function matching(pattern: string, names: ReadonlyMap<string, string[]>): string[] {
  const exact = names.get(pattern);
  // picomatch throws for an empty pattern and for one that is longer than any id.
  if (exact !== undefined || pattern === '' || pattern.length > MAX_PATTERN) return exact ?? [];
  const matches = picomatch(pattern, { dot: true });
  return [...names].flatMap(([name, ids]) => (matches(name) ? ids : []));
}

/** The ids that each pattern means, by id, base of a matrix or glob; none for one that means nothing. */
export function idsNamed(
  definitions: Pick<LoadedFolder, 'workstreams' | 'broken'>,
  patterns: readonly string[],
): { pattern: string; ids: string[] }[] {
  const names = namesOf(definitions);
  return patterns.map((pattern) => ({ pattern, ids: [...new Set(matching(pattern, names))] }));
}

function addDependencies(
  selected: Set<string>,
  byId: ReadonlyMap<string, Workstream>,
  names: ReadonlyMap<string, string[]>,
): void {
  // Iterating a set includes what is added meanwhile.
  for (const id of selected) {
    for (const dependency of byId.get(id)?.dependsOn ?? []) {
      for (const needed of names.get(dependency.id) ?? []) selected.add(needed);
    }
  }
}

function leftOut(
  workstreams: readonly Workstream[],
  byId: ReadonlyMap<string, Workstream>,
  names: ReadonlyMap<string, string[]>,
  selected: ReadonlySet<string>,
): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const { dependsOn } of workstreams) {
    for (const { id } of dependsOn) {
      if (!selected.has(id) && names.has(id)) found.set(id, byId.get(id)?.hash ?? null);
    }
  }
  return found;
}

/** Problems of what was selected and of the folder as a whole; errors that cost nothing selected as warnings. */
function problemsOf(loaded: LoadedFolder, selected: ReadonlySet<string>): Problem[] {
  const others = loaded.broken.filter(({ id }) => !selected.has(id));
  const reported = new Set<string | null>();
  const problems: Problem[] = [];
  for (const problem of loaded.problems) {
    const isAsked = problem.workstreamId === null || selected.has(problem.workstreamId);
    if (problem.severity === 'error') reported.add(problem.workstreamId);
    if (isAsked) problems.push(problem);
    else if (problem.severity === 'error') problems.push({ ...problem, severity: 'warning' });
  }
  return [...problems, ...others.filter(({ id }) => !reported.has(id)).map(asWarning)];
}

function asWarning({ id, source, failure }: Broken): Problem {
  return {
    severity: 'warning',
    file: source.file,
    line: null,
    column: null,
    path: '',
    message: describeFailure(failure),
    workstreamId: id,
  };
}
