import type { ShortResult } from '../domain/run-record.ts';

/** What was skipped, by the workstream at the beginning of each chain of dependencies that did not complete. */
export function heldUp(skipped: readonly ShortResult[]): Map<string, string[]> {
  const needs = new Map(skipped.flatMap((each) => neededBy(each)));
  const groups = new Map<string, string[]>();
  for (const id of needs.keys()) {
    const root = rootOf(id, needs);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [id]);
    else group.push(id);
  }
  return groups;
}

/** A skipped workstream and the dependency that it was skipped for. */
function neededBy({ workstreamId, failure }: ShortResult): [string, string][] {
  return failure?.reason === 'dependency-failed' ? [[workstreamId, failure.dependency]] : [];
}

function rootOf(id: string, needs: Map<string, string>): string {
  let root = id;
  for (let hops = 0; hops <= needs.size; hops += 1) {
    const next = needs.get(root);
    if (next === undefined) break;
    root = next;
  }
  return root;
}
