import type { Forecast, LoadedFolder, Plan } from '../../src/domain/plan.ts';
import type { Dependency, Workstream } from '../../src/domain/workstream.ts';
import { workstream } from './definitions.ts';

/** What a test says about a workstream; `needs` are ids, with `~` in front for `finished`. */
export interface Sketch extends Partial<Omit<Workstream, 'dependsOn'>> {
  id: string;
  needs?: readonly string[];
}

/** A workstream with everything that the sketch leaves out. */
export function makeWorkstream({ needs = [], ...sketch }: Sketch): Workstream {
  return workstream(sketch.id, [], {
    title: sketch.id,
    dependsOn: needs.map(dependency),
    source: { file: 'workstreams/all.json', position: 0 },
    hash: `hash of ${sketch.id}`,
    ...sketch,
  });
}

/** Workstreams of one file, in the order given, one by one or as a list. */
export function makeWorkstreams(...sketches: (Sketch | Sketch[])[]): Workstream[] {
  return sketches
    .flat()
    .map((sketch, position) =>
      makeWorkstream({ source: { file: 'workstreams/all.json', position }, ...sketch }),
    );
}

/** A folder in which nothing is wrong. */
export function makeFolder(...sketches: (Sketch | Sketch[])[]): LoadedFolder {
  return { workstreams: makeWorkstreams(...sketches), broken: [], problems: [], files: 1 };
}

function dependency(text: string): Dependency {
  return text.startsWith('~') ? { id: text.slice(1), when: 'finished' } : { id: text, when: 'completed' };
}

/** The plan of a new run of which nothing is decided before it begins. */
export const newRun = (plan: Plan): Forecast => ({
  plan,
  skipped: [],
  kept: null,
  reserved: null,
  contained: null,
  travelling: null,
});
