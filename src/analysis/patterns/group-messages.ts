/** Groups messages that come one after the other, of which only their shapes are kept, and those not without end. */
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { valuesOf } from './details.ts';
import { firstPatternId, shapeId } from './error-shape.ts';
import { MERGED_SHAPES, mergeShapes } from './merge.ts';
import { essenceOf, shapeOf } from './shape.ts';

/** The pattern of a message. */
export interface MessagePattern {
  id: string;
  template: string;
}

export interface MessageGroup extends MessagePattern {
  count: number;
  values: ErrorPattern['values'];
}

/**
 * What is known of a message before all have come: the number of its shape, or that shape where there are too many
 * to be merged and it is a pattern by itself.
 */
export type ShapeNote = number | string;

/** How many lines are kept to find values in. */
const LINES = 10_000;

/** Takes in messages and tells the pattern of each once all have come. */
export class MessageShapes {
  readonly #numbers = new Map<string, number>();

  add(message: string): ShapeNote {
    const shape = shapeOf(message);
    const number = this.#numbers.get(shape);
    if (number !== undefined) return number;
    if (this.#numbers.size >= MERGED_SHAPES) return shape;
    this.#numbers.set(shape, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  /** The patterns of the shapes that have numbers, with these. */
  merged(): (MessagePattern & { members: number[] })[] {
    const shapes = [...this.#numbers.keys()];
    return mergeShapes(shapes).map(({ template, members }) => ({
      id: idOf(members.map((member) => shapes[member] ?? '')),
      template,
      members,
    }));
  }
}

/** The pattern that a shape is by itself. */
export const patternOfShape = (shape: string): MessagePattern => ({ id: idOf([shape]), template: shape });

/** The same whatever the order of the shapes. */
function idOf(shapes: readonly string[]): string {
  const ids = shapes.map((shape) => shapeId('', shape));
  return firstPatternId(ids.reduce((least, id) => (id < least ? id : least)));
}

/** Messages by their patterns: how many, and with which values. */
export class MessageGroups {
  readonly #shapes = new MessageShapes();
  /** By number of a shape: how many messages have it, and those of their lines that are kept. */
  readonly #seen: { count: number; lines: string[] }[] = [];
  readonly #single: FrequentShapes;
  readonly #listed: number;
  #messages = 0;

  /** @param listed how many groups are asked for. */
  constructor({ listed }: { listed: number }) {
    this.#listed = listed;
    this.#single = new FrequentShapes(listed);
  }

  add(message: string): void {
    const note = this.#shapes.add(message);
    this.#messages += 1;
    if (typeof note === 'string') {
      this.#single.add(note);
      return;
    }
    const seen = (this.#seen[note] ??= { count: 0, lines: [] });
    seen.count += 1;
    if (this.#messages <= LINES) seen.lines.push(essenceOf(message));
  }

  result(): {
    messages: number;
    /** Of all groups. */
    total: number;
    /** The most frequent first. */
    groups: MessageGroup[];
    /** Of how many messages, the first ones, the values are; null where of all. */
    valuesOfFirst: number | null;
  } {
    const merged = this.#shapes.merged().map(({ id, template, members }) => {
      const seen = members.flatMap((member) => this.#seen[member] ?? []);
      return { id, template, count: seen.reduce((sum, { count }) => sum + count, 0), seen };
    });
    const single = this.#single
      .list()
      .map(({ shape, count }) => ({ ...patternOfShape(shape), count, seen: [] }));
    const groups = [...merged, ...single]
      .toSorted((a, b) => b.count - a.count)
      .slice(0, this.#listed)
      .map(({ seen, ...group }) => ({
        ...group,
        values: valuesOf(
          group.template,
          seen.flatMap(({ lines }) => lines),
        ),
      }));
    return {
      messages: this.#messages,
      total: merged.length + this.#single.total,
      groups,
      valuesOfFirst: this.#messages > LINES ? LINES : null,
    };
  }
}

/** Counts shapes without an end, and keeps the texts of the most frequent ones. */
class FrequentShapes {
  readonly #counts = new Map<number, number>();
  readonly #kept = new Map<string, number>();
  readonly #limit: number;
  /** Nothing kept is less frequent. */
  #least = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#counts.size;
  }

  add(shape: string): void {
    const key = Number.parseInt(shapeId('', shape).slice(-HASH_DIGITS), 16);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (this.#kept.has(shape)) this.#kept.set(shape, count);
    else if (this.#kept.size < this.#limit) this.#kept.set(shape, count);
    else if (count > this.#least) this.#keep(shape, count);
  }

  /** In place of the least frequent one, where that is less frequent. */
  #keep(shape: string, count: number): void {
    const [rarest, least] = [...this.#kept].reduce((a, b) => (b[1] < a[1] ? b : a));
    this.#least = least;
    if (count <= least) return;
    this.#kept.delete(rarest);
    this.#kept.set(shape, count);
  }

  list(): { shape: string; count: number }[] {
    return [...this.#kept].map(([shape, count]) => ({ shape, count }));
  }
}

/** So much of a hash is a whole number of JavaScript: of a million shapes two meet with a probability of 1 in 10,000. */
const HASH_DIGITS = 13;
