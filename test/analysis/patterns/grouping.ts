/** Groups messages, and measures how well they were grouped. */
import { mergeShapes } from '../../../src/analysis/patterns/merge.ts';
import { shapeOf } from '../../../src/analysis/patterns/shape.ts';

/** For each message the number of its group. */
export function groupMessages(messages: readonly string[]): number[] {
  const shapes = messages.map((message) => shapeOf(message));
  const distinct = [...new Set(shapes)];
  const groupOf = new Map<string, number>();
  for (const [group, { members }] of mergeShapes(distinct).entries()) {
    for (const member of members) groupOf.set(distinct[member] ?? '', group);
  }
  return shapes.map((shape) => groupOf.get(shape) ?? -1);
}

export interface Quality {
  /** Grouping accuracy: the share of messages whose group has exactly the messages of their kind. */
  accuracy: number;
  /** Of the pairs that are in one group the share that is of one kind; 1 for no pairs. */
  precision: number;
}

/** @param kinds the true kind of each message. */
export function qualityOf(kinds: readonly string[], groups: readonly number[]): Quality {
  const both = sizes(kinds.map((kind, index) => `${groups[index]} ${kind}`));
  const ofKind = sizes(kinds);
  const ofGroup = sizes(groups.map(String));
  let right = 0;
  for (const [key, size] of both) {
    const [group = '', ...kind] = key.split(' ');
    if (ofKind.get(kind.join(' ')) === size && ofGroup.get(group) === size) right += size;
  }
  const pairs = pairsOf(ofGroup);
  return { accuracy: right / kinds.length, precision: pairs === 0 ? 1 : pairsOf(both) / pairs };
}

function sizes(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const pairsOf = (counts: Map<string, number>): number =>
  [...counts.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
