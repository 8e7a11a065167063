/** Groups messages that come one after the other, of which only their shapes are kept. */
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { valuesOf } from './details.ts';
import { firstPatternId, shapeId } from './error-shape.ts';
import { mergeShapes } from './merge.ts';
import { essenceOf, shapeOf } from './shape.ts';

export interface MessageGroup {
  id: string;
  template: string;
  count: number;
  values: ErrorPattern['values'];
}

/** How many lines are kept to find values in. */
const LINES = 10_000;

interface Seen {
  count: number;
  /** Those of its lines that are kept. */
  lines: string[];
}

export class MessageGroups {
  readonly #numbers = new Map<string, number>();
  readonly #seen: Seen[] = [];
  /** For each message the number of its shape. */
  readonly #messages: number[] = [];
  readonly #keepsLines: boolean;
  #lines = 0;

  /** @param keepsLines whether the values of the groups are asked for; up to 10,000 lines are kept for that. */
  constructor({ keepsLines }: { keepsLines: boolean }) {
    this.#keepsLines = keepsLines;
  }

  add(message: string): void {
    const shape = shapeOf(message);
    let number = this.#numbers.get(shape);
    if (number === undefined) {
      number = this.#seen.length;
      this.#numbers.set(shape, number);
      this.#seen.push({ count: 0, lines: [] });
    }
    this.#messages.push(number);
    const seen = this.#seen[number];
    if (seen === undefined) return;
    seen.count += 1;
    if (!this.#keepsLines || this.#lines >= LINES) return;
    this.#lines += 1;
    seen.lines.push(essenceOf(message));
  }

  /** The groups, the most frequent first, and the group of each message in the order in which they came. */
  result(): {
    groups: MessageGroup[];
    ofMessages: () => Iterable<MessageGroup>;
    /** Of how many messages, the first ones, the values are; null where of all. */
    valuesOfFirst: number | null;
  } {
    const ofShape: MessageGroup[] = [];
    const shapes = [...this.#numbers.keys()];
    const groups = mergeShapes(shapes).map(({ template, members }) => {
      const seen = members.flatMap((member) => this.#seen[member] ?? []);
      const group = {
        id: idOf(members.map((member) => shapes[member] ?? '')),
        template,
        count: seen.reduce((sum, { count }) => sum + count, 0),
        values: valuesOf(
          template,
          seen.flatMap(({ lines }) => lines),
        ),
      };
      for (const member of members) ofShape[member] = group;
      return group;
    });
    const messages = this.#messages;
    return {
      groups: groups.toSorted((a, b) => b.count - a.count),
      valuesOfFirst: this.#lines < messages.length ? this.#lines : null,
      *ofMessages() {
        for (const number of messages) {
          const group = ofShape[number];
          if (group !== undefined) yield group;
        }
      },
    };
  }
}

/** The same whatever the order of the shapes. */
function idOf(shapes: readonly string[]): string {
  const ids = shapes.map((shape) => shapeId('', shape));
  return firstPatternId(ids.reduce((least, id) => (id < least ? id : least)));
}
