/** The stages that work goes through one after the other. Pure. */
import type { Workstream } from '../domain/workstream.ts';

/**
 * The stage of each workstream by its position, from 1; 0 for those that belong to none and wait for none. A stage
 * can't wait for itself, so what a workstream needs is at the latest of its own stage, whatever it says. O(V log V + E).
 */
export function stages(workstreams: readonly Pick<Workstream, 'id' | 'gate' | 'dependsOn'>[]): Int32Array {
  const stage = new Int32Array(workstreams.length);
  const gated = [...workstreams.entries()].filter(([, { gate }]) => gate !== null);
  if (gated.length === 0) return stage;
  const seen = new Uint8Array(workstreams.length);
  const indexOf = new Map(workstreams.map(({ id }, index) => [id, index]));
  const numbers = new Map(
    [...new Set(gated.map(([, { gate }]) => gate))].toSorted(byValue).map((gate, at) => [gate, at + 1]),
  );
  const members = gated.map(([index, { gate }]) => ({ index, number: numbers.get(gate) ?? 0 }));
  for (const { index, number } of members.toSorted((a, b) => a.number - b.number)) {
    const waiting = [index];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      // The earliest stage comes first.
      if (seen[next] === 1) continue;
      seen[next] = 1;
      if (workstreams[next]?.gate !== null) stage[next] = number;
      for (const { id } of workstreams[next]?.dependsOn ?? []) {
        const needed = indexOf.get(id);
        if (needed !== undefined) waiting.push(needed);
      }
    }
  }
  return stage;
}

const byValue = (a: number | null, b: number | null): number => (a ?? 0) - (b ?? 0);
