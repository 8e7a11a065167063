/** What can only be known when all files are: ids that are used twice, and what the id of a matrix stands for. */
import { basename } from 'node:path';
import type { Broken, LoadedFolder } from '../domain/plan.ts';
import type { Problem } from '../domain/problem.ts';
import type { Workstream } from '../domain/workstream.ts';
import { expandDependencies, MAX_EXPANDED } from './dependencies.ts';
import { findDuplicates, reportDuplicates } from './duplicates.ts';
import { listProblems, problemAt, problemTexts } from './file-problems.ts';
import { errorAt, warningAt } from './finding.ts';
import type { Base, LoadedFile } from './load-file.ts';
import { placesAgain } from './places-again.ts';

/** `all` is everything that the files gave, one after the other; `pathOf` gives the absolute path of a file. */
export function settle(all: LoadedFile, pathOf: (file: string) => string): LoadedFolder {
  const duplicates = findDuplicates([...all.workstreams, ...all.broken]);
  const found = reportDuplicates(duplicates, pathOf);
  const single = <T extends { id: string }>(items: T[]): T[] => items.filter(({ id }) => !duplicates.has(id));
  const unique = single(all.workstreams);
  const named = [...single(all.broken), ...found.broken];
  const ids = new Set([...unique, ...named].map(({ id }) => id));
  const refused = refuse(
    expandDependencies(unique, all.bases, (id) => ids.has(id)),
    pathOf,
  );
  const refusedIds = new Set(refused.broken.map(({ id }) => id));
  const problems = [
    ...all.problems,
    ...found.problems,
    ...refused.problems,
    ...ambiguousBases(all.bases, ids, pathOf),
  ];
  return {
    workstreams: unique.filter(({ id }) => !refusedIds.has(id)),
    broken: [...named, ...refused.broken, ...nameAll(all.nameless, ids)],
    problems: listByFile(problems),
    files: all.files,
  };
}

function refuse(
  workstreams: readonly Workstream[],
  pathOf: (file: string) => string,
): { broken: Broken[]; problems: Problem[] } {
  const path = ['depends_on'];
  const places = placesAgain(
    workstreams.map(({ source }) => ({ source, path })),
    pathOf,
  );
  const finding = errorAt(
    path,
    `matrices make more than ${MAX_EXPANDED} dependencies of what is written in all files`,
  );
  const problems = workstreams.map(({ id, source }, index) =>
    problemAt(source.file, places[index] ?? null, finding, id),
  );
  const broken = workstreams.map(({ id, title, source }, index): Broken => {
    const failure = {
      reason: 'invalid-workstream',
      problems: problemTexts(problems.slice(index, index + 1), 0),
    } as const;
    return { id, title, source, failure };
  });
  return { broken, problems };
}

function ambiguousBases(
  bases: readonly Base[],
  ids: ReadonlySet<string>,
  pathOf: (file: string) => string,
): Problem[] {
  const ambiguous = bases.filter(({ id }) => ids.has(id));
  const places = placesAgain(
    ambiguous.map(({ source }) => ({ source, path: ['id'] })),
    pathOf,
  );
  return ambiguous.map(({ id, source }, index) => {
    const message = `another workstream has the id "${id}"; depending on it means that one, not the members of this matrix`;
    return problemAt(source.file, places[index] ?? null, warningAt(['id'], message), id);
  });
}

/** Broken workstreams without an id are called after their file; where that is taken, with its extension. */
function nameAll(nameless: readonly Broken[], ids: ReadonlySet<string>): Broken[] {
  const taken = new Set(ids);
  return nameless.map((broken) => {
    let id = broken.id;
    if (taken.has(id)) {
      const { file } = broken.source;
      id = `${basename(file)}${id.slice(basename(file, '.json').length)}`;
    }
    for (let n = 2; taken.has(id); n++) id = `${broken.id} (${n})`;
    taken.add(id);
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
