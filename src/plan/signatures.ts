import type { Workstream } from '../domain/workstream.ts';
import { type Scoped, ScopeTree } from './scope.ts';

/** The fields of a workstream that decide which others it may run beside. */
export type Constrained = Scoped & Pick<Workstream, 'conflictGroup' | 'parallelOk'>;

/** Whether it may not run beside every other. */
export const isConstrained = ({ scopes, conflictGroup, parallelOk }: Constrained): boolean =>
  !parallelOk || conflictGroup !== null || scopes.length > 0;

/** What workstreams have in common that are blocked by the same running workstreams. */
export interface Signature {
  /** Where it waits: by agent when pinned, by track where there are tracks; what runs alone has one of its own. */
  partition: number;
  /** The conflict group's number; null for none. */
  group: number | null;
  /** Places of the scope tree that it owns. */
  places: readonly number[];
  /** The number of its kind, by what it reserves or by the quota that it has. */
  kind: number;
}

export interface Signatures {
  all: Signature[];
  /** By workstream: its signature's index in `all`. */
  of: Int32Array;
  tree: ScopeTree;
  /** The number of each conflict group. */
  groups: ReadonlyMap<string, number>;
}

/**
 * @param partitionOf returns the partition of the workstream with this index.
 * @param kindOf returns the kind of the workstream with this index. Default: all are of one.
 */
export function signatures(
  workstreams: readonly Constrained[],
  partitionOf: (index: number) => number,
  kindOf: (index: number) => number = () => 0,
): Signatures {
  const tree = new ScopeTree(workstreams);
  const groups = new Map<string, number>();
  const known = new Map<string, number>();
  const all: Signature[] = [];
  /** By kind, then by partition: the signature of what no group and no scope keeps from running. */
  const free: number[][] = [];
  const of = new Int32Array(workstreams.length);
  workstreams.forEach(({ conflictGroup, scopes }, index) => {
    const partition = partitionOf(index);
    const kind = kindOf(index);
    if (conflictGroup === null && scopes.length === 0) {
      const alike = (free[kind] ??= []);
      alike[partition] ??= all.push({ partition, group: null, places: [], kind }) - 1;
      of[index] = alike[partition];
      return;
    }
    const group = conflictGroup === null ? null : numberOf(groups, conflictGroup);
    const places = tree.ownedBy(index);
    const name = `${partition} ${kind} ${group} ${places.join(',')}`;
    let signature = known.get(name);
    if (signature === undefined)
      known.set(name, (signature = all.push({ partition, group, places, kind }) - 1));
    of[index] = signature;
  });
  return { all, of, tree, groups };
}

/** The number of a name: the one it has, or the next. */
function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  numbers.set(name, numbers.size);
  return numbers.size - 1;
}
