/** What never runs at the same time, for a person to see. The ready queue decides by what is running instead. */
import type { Conflict } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import { requireAt } from './require-at.ts';
import { ScopeTree } from './scope.ts';
import { type Constrained, isConstrained } from './signatures.ts';

type ConstrainedWorkstream = Constrained & Pick<Workstream, 'id'>;

/**
 * Conflict groups with two members or more, scopes that overlap, and workstreams that run alone; each kind in the
 * order of its first member, members in the order given. O(V log V) and the text of the scopes, because no pairs are compared.
 */
export function findConflicts(all: readonly ConstrainedWorkstream[]): Conflict[] {
  const workstreams = all.filter(isConstrained);
  return [...groupConflicts(workstreams), ...scopeConflicts(workstreams), ...aloneConflicts(workstreams)];
}

function groupConflicts(workstreams: readonly ConstrainedWorkstream[]): Conflict[] {
  const groups = new Map<string, string[]>();
  for (const { id, conflictGroup } of workstreams) {
    if (conflictGroup === null) continue;
    const members = groups.get(conflictGroup);
    if (members === undefined) groups.set(conflictGroup, [id]);
    else members.push(id);
  }
  return [...groups]
    .filter(([, members]) => members.length > 1)
    .map(([what, members]) => ({ kind: 'conflict-group', what, members }));
}

/** One conflict for each path that is owned and inside no other owned path, with everything that is inside it. */
function scopeConflicts(workstreams: readonly ConstrainedWorkstream[]): Conflict[] {
  const tree = new ScopeTree(workstreams);
  const outermost = outermostOwned(tree);
  const members = new Map<number, Set<string>>();
  for (const [index, { id }] of workstreams.entries()) {
    for (const place of tree.ownedBy(index)) {
      const area = requireAt(outermost, place);
      const inside = members.get(area);
      if (inside === undefined) members.set(area, new Set([id]));
      else inside.add(id);
    }
  }
  return [...members]
    .filter(([, ids]) => ids.size > 1)
    .map(([area, ids]) => ({ kind: 'scope', what: tree.path(area), members: [...ids] }));
}

/** By place: the outermost owned place that it is in or is itself; -1 for none. */
function outermostOwned(tree: ScopeTree): Int32Array {
  const outermost = new Int32Array(tree.size).fill(-1);
  const isOwned = new Uint8Array(tree.size);
  for (const places of tree.owned) for (const place of places) isOwned[place] = 1;
  for (let place = 0; place < tree.size; place++) {
    const above = place === 0 ? -1 : requireAt(outermost, tree.parent(place));
    outermost[place] = above === -1 && isOwned[place] === 1 ? place : above;
  }
  return outermost;
}

function aloneConflicts(workstreams: readonly ConstrainedWorkstream[]): Conflict[] {
  return workstreams
    .filter(({ parallelOk }) => !parallelOk)
    .map(({ id }) => ({ kind: 'alone', what: id, members: [id] }));
}
