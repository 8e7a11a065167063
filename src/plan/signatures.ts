import type { Workstream } from '../domain/workstream.ts';
import { ScopeTree, type Scoped } from './scope.ts';

/** What of a workstream decides beside which others it may run. */
export type Constrained = Scoped & Pick<Workstream, 'conflictGroup' | 'parallelOk'>;

/** What a set of workstreams have in common that are all blocked, or all not, by whatever is running. */
export interface Signature {
  /** The line it waits in: the agent's index when pinned, 0 otherwise, `alone` for what runs alone. */
  line: number;
  /** The conflict group's number; null for none. */
  group: number | null;
  /** Places of the scope tree that it owns. */
  places: readonly number[];
}

export interface Signatures {
  all: Signature[];
  /** By workstream: its signature's index in `all`. */
  of: Int32Array;
  tree: ScopeTree;
  groups: number;
}

/** `lineOf` gives the line of the workstream with this index. */
export function signatures(
  workstreams: readonly Constrained[],
  lineOf: (index: number) => number,
): Signatures {
  const tree = new ScopeTree(workstreams);
  const groups = new Map<string, number>();
  const known = new Map<string, number>();
  const all: Signature[] = [];
  const of = new Int32Array(workstreams.length);
  for (const [index, { conflictGroup }] of workstreams.entries()) {
    const line = lineOf(index);
    const group = conflictGroup === null ? null : numberOf(groups, conflictGroup);
    const places = tree.owned[index] ?? [];
    const signature = numberOf(known, `${line} ${group} ${places.join(',')}`);
    if (signature === all.length) all.push({ line, group, places });
    of[index] = signature;
  }
  return { all, of, tree, groups: groups.size };
}

/** The number of a name: the one it has, or the next. */
function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  numbers.set(name, numbers.size);
  return numbers.size - 1;
}
