/** What `depends_on` means once every file is known. */
import type { Dependency, Workstream } from '../domain/workstream.ts';
import type { Base } from './load-file.ts';

/** Most dependencies that all workstreams have together because they depend on every member of a matrix. */
export const MAX_EXPANDED = 5_000_000;

/**
 * Replaces a dependency on the id of a matrix by one on each of its members, and drops repetitions; `completed` is
 * the stricter of two. An id that a workstream has itself means that workstream. Gives the workstreams that have no
 * room under `MAX_EXPANDED`; their dependencies are left as they are.
 */
export function expandDependencies(
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
function isPlain([first, second]: Dependency[], members: ReadonlyMap<string, string[]>): boolean {
  return second === undefined && (first === undefined || !members.has(first.id));
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
