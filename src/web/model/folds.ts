/** What makes a drawing of dependencies tall: workstreams that nothing in it distinguishes are drawn as one. */

export interface FoldNode {
  id: string;
  /** Ids of what it depends on; those that are not drawn are left out. */
  dependsOn: readonly string[];
  /** What else distinguishes it: those of different kinds are never folded together. */
  kind: string;
}

/** A workstream, or several in the place of one. */
export interface Folded {
  id: string;
  dependsOn: readonly string[];
  /** Ids of those that it stands for; empty for a workstream itself. */
  stands: readonly string[];
}

/** Of so many alike all are drawn, otherwise the first few. */
const FEW = 8;
const FIRST = 4;

/**
 * Folds those that depend on the same, are needed by the same and are of one kind. As they are all alike, who needs one of
 * them needs also those that are drawn, so that no edge is lost. O(V log V + E log E).
 */
export function folded(nodes: readonly FoldNode[]): Folded[] {
  const known = new Set(nodes.map(({ id }) => id));
  const neededBy = new Map<string, string[]>();
  for (const { id, dependsOn } of nodes)
    for (const needed of dependsOn) {
      const others = neededBy.get(needed);
      if (others === undefined) neededBy.set(needed, [id]);
      else others.push(id);
    }
  const groups = new Map<string, FoldNode[]>();
  for (const node of nodes) {
    const needs = node.dependsOn.filter((id) => known.has(id)).toSorted();
    const key = JSON.stringify([node.kind, needs, neededBy.get(node.id)?.toSorted() ?? []]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  const standsFor = new Map<string, string>();
  const folds = [...groups.values()].flatMap((group): Folded[] => {
    if (group.length <= FEW) return [];
    const [first, ...rest] = group.slice(FIRST).map(({ id }) => id);
    if (first === undefined) return [];
    for (const id of [first, ...rest]) standsFor.set(id, first);
    return [{ id: first, dependsOn: group[0]?.dependsOn ?? [], stands: [first, ...rest] }];
  });
  const byId = new Map(folds.map((fold) => [fold.id, fold]));
  return nodes.flatMap((node): Folded[] => {
    const fold = byId.get(node.id);
    if (fold !== undefined) return [{ ...fold, dependsOn: unfolded(fold.dependsOn, standsFor) }];
    if (standsFor.has(node.id)) return [];
    return [{ id: node.id, dependsOn: unfolded(node.dependsOn, standsFor), stands: [] }];
  });
}

/** Ids with those that are folded once, as what stands for them. */
const unfolded = (ids: readonly string[], standsFor: ReadonlyMap<string, string>): string[] => [
  ...new Set(ids.map((id) => standsFor.get(id) ?? id)),
];
