import type { Workstream } from '../domain/workstream.ts';
import { at } from './at.ts';

/** Order in the folder: file name by code unit, then position in the file. Equal for members of one matrix. */
export function bySource(a: Pick<Workstream, 'source'>, b: Pick<Workstream, 'source'>): number {
  if (a.source.file !== b.source.file) return a.source.file < b.source.file ? -1 : 1;
  return a.source.position - b.source.position;
}

/**
 * Nodes in the order in which they are handed out when all are ready: priority (greater first), longest remaining
 * path (longer first), order in the folder, order in which they were given (which is that of a matrix).
 */
export function handingOutOrder(
  workstreams: readonly Pick<Workstream, 'priority' | 'source'>[],
  remaining: Float64Array,
): number[] {
  const ranked = workstreams.map((workstream, node) => ({
    workstream,
    node,
    remaining: at(remaining, node),
  }));
  ranked.sort(
    (a, b) =>
      b.workstream.priority - a.workstream.priority ||
      b.remaining - a.remaining ||
      bySource(a.workstream, b.workstream) ||
      a.node - b.node,
  );
  return ranked.map(({ node }) => node);
}
