import type { Broken } from '../domain/plan.ts';
import type { Problem } from '../domain/problem.ts';
import type { Source } from '../domain/workstream.ts';
import { problemAt } from './file-problems.ts';
import { errorAt } from './finding.ts';
import { type PastTarget, placesAgain } from './places-again.ts';

/** Most places that are named for one id. */
const MAX_PLACES = 10;

/** Anything that claims an id. */
export interface Claimant {
  id: string;
  title: string;
  source: Source;
}

/** Every id that is claimed more than once, with all who claim it. */
export function findDuplicates(claimants: Iterable<Claimant>): Map<string, Claimant[]> {
  const first = new Map<string, Claimant>();
  const duplicates = new Map<string, Claimant[]>();
  for (const claimant of claimants) {
    const earlier = first.get(claimant.id);
    if (earlier === undefined) {
      first.set(claimant.id, claimant);
      continue;
    }
    const group = duplicates.get(claimant.id);
    if (group === undefined) duplicates.set(claimant.id, [earlier, claimant]);
    else group.push(claimant);
  }
  return duplicates;
}

/** One broken workstream for each such id, and one problem at each of its places. */
export function reportDuplicates(
  duplicates: ReadonlyMap<string, Claimant[]>,
  pathOf: (file: string) => string,
): { broken: Broken[]; problems: Problem[] } {
  const targets: PastTarget[] = [...duplicates.values()]
    .flat()
    .map(({ source }) => ({ source, path: ['id'] }));
  const places = placesAgain(targets, pathOf);
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
