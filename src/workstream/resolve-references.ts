/** What can only be resolved when all files are known: ids that are used twice, and ids of matrices. */
import { basename } from 'node:path';
import type { Broken, LoadedFolder, Problem } from '../domain/plan.ts';
import type { Dependency, Source, Workstream } from '../domain/workstream.ts';
import { IdIndex } from '../text/id-index.ts';
import { invalidWorkstream, listProblems, problemAt } from './file-problems.ts';
import { errorAt, warningAt } from './finding.ts';
import type { Base, LoadedFile } from './load-file.ts';
import type { RelocatedPlace, RelocationTarget } from './relocate-paths.ts';

/** Looks up places in files that were loaded. */
type Relocate = (targets: readonly RelocationTarget[]) => (RelocatedPlace | null)[];

/** @param all what was loaded from each file. */
export function resolveReferences(all: LoadedFile, relocate: Relocate): LoadedFolder {
  const { isClaimed, duplicates } = claimed(all);
  const found = reportDuplicates(duplicates, relocate);
  const unique = without(all.workstreams, duplicates);
  const named = [...without(all.broken, duplicates), ...found.broken];
  const refused = refuse(expandDependencies(unique, all.bases, isClaimed), relocate);
  const refusedIds = new Set(refused.broken.map(({ id }) => id));
  const problems = [
    ...all.problems,
    ...found.problems,
    ...refused.problems,
    ...ambiguousBases(all.bases, isClaimed, relocate),
  ];
  return {
    workstreams: without(unique, refusedIds),
    broken: [...named, ...refused.broken, ...nameAll(all.nameless, isClaimed)],
    problems: listByFile(problems),
    files: all.files,
  };
}

/** The items with other ids: the list itself where there is none of these, because it may be long. */
const without = <T extends { id: string }>(
  items: T[],
  ids: { size: number; has(id: string): boolean },
): T[] => (ids.size === 0 ? items : items.filter(({ id }) => !ids.has(id)));

function refuse(
  workstreams: readonly Workstream[],
  relocate: Relocate,
): { broken: Broken[]; problems: Problem[] } {
  const path = ['depends_on'];
  const places = relocate(workstreams.map(({ source }) => ({ source, path })));
  const finding = errorAt(
    path,
    `matrices make more than ${MAX_EXPANDED} dependencies of what is written in all files`,
  );
  const problems = workstreams.map(({ id, source }, index) =>
    problemAt(source.file, places[index] ?? null, finding, id),
  );
  const broken = workstreams.map(({ id, title, source }, index): Broken => {
    const failure = invalidWorkstream(problems.slice(index, index + 1), 0);
    return { id, title, source, failure };
  });
  return { broken, problems };
}

function ambiguousBases(
  bases: readonly Base[],
  isClaimed: Claims['isClaimed'],
  relocate: Relocate,
): Problem[] {
  const ambiguous = bases.filter(({ id }) => isClaimed(id));
  const places = relocate(ambiguous.map(({ source }) => ({ source, path: ['id'] })));
  return ambiguous.map(({ id, source }, index) => {
    const message = `another workstream has the id "${id}"; depending on it means that one, not the members of this matrix`;
    return problemAt(source.file, places[index] ?? null, warningAt(['id'], message), id);
  });
}

/** Names broken workstreams without an id after their file; where that is taken, with its extension. */
function nameAll(nameless: readonly Broken[], isClaimed: Claims['isClaimed']): Broken[] {
  const named = new Set<string>();
  const isTaken = (id: string): boolean => named.has(id) || isClaimed(id);
  return nameless.map((broken) => {
    let id = broken.id;
    if (isTaken(id)) {
      const { file } = broken.source;
      id = `${basename(file)}${id.slice(basename(file, '.json').length)}`;
    }
    for (let n = 2; isTaken(id); n++) id = `${broken.id} (${n})`;
    named.add(id);
    return { ...broken, id };
  });
}

/** Problems in order of their files; within a file by place, and not too many. */
function listByFile(problems: readonly Problem[]): Problem[] {
  const byFile = new Map<string, Problem[]>();
  for (const problem of problems) {
    const group = byFile.get(problem.file);
    if (group === undefined) byFile.set(problem.file, [problem]);
    else group.push(problem);
  }
  return [...byFile.keys()].toSorted().flatMap((file) => listProblems(byFile.get(file) ?? []));
}

// Resolves `depends_on` once every file is known.

/** Most dependencies that all workstreams have together because they depend on every member of a matrix. */
const MAX_EXPANDED = 5_000_000;

/**
 * Replaces a dependency on the id of a matrix by one on each of its members, and drops repetitions; `completed` is
 * the stricter of two. An id that a workstream has itself means that workstream. Returns the workstreams that have no
 * room under `MAX_EXPANDED`; their dependencies are left as they are.
 */
function expandDependencies(
  workstreams: readonly Workstream[],
  bases: readonly Base[],
  isId: (id: string) => boolean,
): Workstream[] {
  const members = new Map<string, string[]>();
  for (const base of bases) {
    if (!isId(base.id)) members.set(base.id, [...(members.get(base.id) ?? []), ...base.members]);
  }
  // The members of one matrix share their list, and go on sharing it.
  const expanded = new Map<Dependency[], Dependency[]>();
  const refused: Workstream[] = [];
  let room = MAX_EXPANDED;
  for (const workstream of workstreams) {
    const written = workstream.dependsOn;
    if (isPlain(written, members)) continue;
    const added = expandedSize(written, members) - written.length;
    if (added > room) {
      refused.push(workstream);
      continue;
    }
    room -= Math.max(0, added);
    let dependencies = expanded.get(written);
    if (dependencies === undefined) expanded.set(written, (dependencies = expand(written, members)));
    workstream.dependsOn = dependencies;
  }
  return refused;
}

/** Whether there is nothing to expand and nothing that could be repeated. */
function isPlain(written: Dependency[], members: ReadonlyMap<string, string[]>): boolean {
  const first = written[0];
  return first === undefined || (written.length === 1 && !members.has(first.id));
}

function expandedSize(written: Dependency[], members: ReadonlyMap<string, string[]>): number {
  return written.reduce((size, { id }) => size + (members.get(id)?.length ?? 1), 0);
}

function expand(written: Dependency[], members: ReadonlyMap<string, string[]>): Dependency[] {
  const merged = new Map<string, Dependency>();
  for (const { id, when } of written) {
    for (const member of members.get(id) ?? [id]) {
      const earlier = merged.get(member);
      merged.set(member, { id: member, when: earlier?.when === 'completed' ? 'completed' : when });
    }
  }
  return [...merged.values()];
}

/** Most places that are named for one id. */
const MAX_PLACES = 10;

/** Anything that claims an id. */
interface Claimant {
  id: string;
  title: string;
  source: Source;
}

interface Claims {
  /** Whether an id is claimed. */
  isClaimed: (id: string) => boolean;
  /** The ids that are claimed more than once, with all their claimants. */
  duplicates: Map<string, Claimant[]>;
}

function claimed({ workstreams, broken }: Pick<LoadedFolder, 'workstreams' | 'broken'>): Claims {
  const count = workstreams.length + broken.length;
  const claimant = (number: number): Claimant => {
    const one = workstreams[number] ?? broken[number - workstreams.length];
    if (one === undefined) throw new RangeError(`there is no claimant ${number}`);
    return one;
  };
  const index = new IdIndex(count, (number) => claimant(number).id);
  const duplicates = new Map<string, Claimant[]>();
  for (let number = 0; number < count; number++) {
    const first = index.add(number);
    if (first === null) continue;
    const { id } = claimant(number);
    const group = duplicates.get(id);
    if (group === undefined) duplicates.set(id, [claimant(first), claimant(number)]);
    else group.push(claimant(number));
  }
  return { isClaimed: (id) => index.numberOf(id) !== null, duplicates };
}

/** One broken workstream for each such id, and one problem at each of its places. */
function reportDuplicates(
  duplicates: ReadonlyMap<string, Claimant[]>,
  relocate: Relocate,
): { broken: Broken[]; problems: Problem[] } {
  const targets: RelocationTarget[] = [...duplicates.values()]
    .flat()
    .map(({ source }) => ({ source, path: ['id'] }));
  const places = relocate(targets);
  const broken: Broken[] = [];
  const problems: Problem[] = [];
  let next = 0;
  for (const [id, group] of duplicates) {
    const found = group.map(({ source }) => {
      const place = places[next++] ?? null;
      return {
        source,
        place,
        text: place === null ? source.file : `${source.file}:${place.line}:${place.column}`,
      };
    });
    const texts = found.map(({ text }) => text);
    for (const [index, { source, place }] of found.entries()) {
      const message = `the id "${id}" is also at ${somePlaces(texts, index).join(', ')}`;
      problems.push(problemAt(source.file, place, errorAt(['id'], message), id));
    }
    for (const { title, source } of group.slice(0, 1)) {
      broken.push({
        id,
        title,
        source,
        failure: { reason: 'duplicate-id', id, places: somePlaces(texts, null) },
      });
    }
  }
  return { broken, problems };
}

/** The first places but the one at `without`, and how many more there are. */
function somePlaces(places: string[], without: number | null): string[] {
  const some = places
    .slice(0, MAX_PLACES + 1)
    .filter((_, index) => index !== without)
    .slice(0, MAX_PLACES);
  const more = places.length - some.length - (without === null ? 0 : 1);
  return more === 0 ? some : [...some, `${more} more`];
}
