import type { Workstream } from '../domain/workstream.ts';
import { type Scoped, ScopeTree } from './scope.ts';

/** The fields of a workstream that decide which others it may run beside. */
export type Constrained = Scoped & Pick<Workstream, 'conflictGroup' | 'parallelOk'>;

/** What workstreams have in common that are blocked by the same running workstreams. */
export interface Signature {
  /** Where it waits: by agent when pinned, by track where there are tracks; what runs alone has one of its own. */
  partition: number;
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

/** @param partitionOf returns the partition of the workstream with this index. */
export function signatures(
  workstreams: readonly Constrained[],
  partitionOf: (index: number) => number,
): Signatures {
  const tree = new ScopeTree(workstreams);
  const groups = new Map<string, number>();
  const known = new Map<string, number>();
  const all: Signature[] = [];
  const of = new Int32Array(workstreams.length);
  for (const [index, { conflictGroup }] of workstreams.entries()) {
    const partition = partitionOf(index);
    const group = conflictGroup === null ? null : numberOf(groups, conflictGroup);
    const places = tree.owned[index] ?? [];
    const signature = numberOf(known, `${partition} ${group} ${places.join(',')}`);
    if (signature === all.length) all.push({ partition, group, places });
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
