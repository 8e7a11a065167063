/**
 * Unites shapes that differ only in values, by what stands at each place over all of them.
 *
 * For each place of a shape the context is that shape with the place as a hole. Where enough different words stand in one
 * context, they are values: all shapes of that context become one group, and the context is a shape itself from then on,
 * so that this goes on with more holes until nothing is left to unite. A rule only ever adds unions, and looks at the set
 * of shapes alone, not at how frequent they are or when they came: so any order and any division into batches has the
 * same groups.
 */
import { HOLE, isErrorName } from './shape.ts';

export interface ShapeGroup {
  /** What its shapes have in common. */
  template: string;
  /** Positions of its shapes among those given. */
  members: number[];
}

/** How many shapes are merged; each further one is a group of its own. */
export const MERGED_SHAPES = 10_000;

/**
 * Groups shapes. They may only belong together when they have the same number of places: `placesOf` tells it, so that
 * a caller need not give those that can't matter.
 * @param groups for each shape the name of a group that it belongs to already, or null: what was united stays so.
 */
export function mergeShapes(
  shapes: readonly string[],
  groups: readonly (string | null)[] = [],
): ShapeGroup[] {
  const merges = new Map<number, ShapeMerge>();
  for (const [position, shape] of shapes.entries()) {
    const places = splitShape(shape);
    const key = position < MERGED_SHAPES ? places.length : -1 - position;
    let merge = merges.get(key);
    if (merge === undefined) merges.set(key, (merge = new ShapeMerge()));
    merge.add(shape, places, position, groups[position] ?? null);
  }
  return [...merges.values()].flatMap((merge) => merge.groups());
}

/** How many places a shape has. */
export const placesOf = (shape: string): number => (splitShape(shape).length + 1) / 2;

// ── Places ──

/** A shape as its places, at even positions, and what is between them. */
function splitShape(shape: string): string[] {
  const parts = shape.split(/([\s=:,;"'`]+)/);
  for (let at = 0; at < parts.length; at += 2) trimBrackets(parts, at);
  return parts;
}

const CLOSES: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

/** Moves brackets around a word, and those that are closed or opened in another word, from the place to its sides. */
function trimBrackets(parts: string[], at: number): void {
  const word = parts[at] ?? '';
  let from = 0;
  let to = word.length;
  while (from < to) {
    const closing = CLOSES[word.charAt(from)];
    const within = word.slice(from, to);
    if (closing !== undefined && isWrapped(within, closing)) {
      from += 1;
      to -= 1;
    } else if (closing !== undefined && !isBalanced(within)) from += 1;
    else if (/[)\]}.]$/.test(within) && !isBalanced(within)) to -= 1;
    else break;
  }
  if (from >= to || (from === 0 && to === word.length)) return;
  const isFirst = at === 0;
  const isLast = at === parts.length - 1;
  if (!isFirst) parts[at - 1] = (parts[at - 1] ?? '') + word.slice(0, from);
  if (!isLast) parts[at + 1] = word.slice(to) + (parts[at + 1] ?? '');
  parts[at] = word.slice(isFirst ? 0 : from, isLast ? word.length : to);
}

const isWrapped = (text: string, closing: string): boolean =>
  text.endsWith(closing) && !/[()[\]{}]/.test(text.slice(1, -1));

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character in CLOSES) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

// ── Evidence ──

/** A word that is never a value: it says which error it is. */
const isFrozen = (word: string): boolean => isErrorName(word) || /^\d{1,5}$/.test(word);

/** How much a word says for its place being one of values. */
function weightOf(word: string): number {
  if (word === HOLE) return 3;
  if (/^\p{Lu}+$/u.test(word)) return 0;
  // Letters, also with numbers, may as well be words of different messages; other names hardly are.
  return /^(?:\p{L}|<\*>)+$/u.test(word) ? 1 : 2;
}

/** Words that a name of something follows. */
const NAMES_FOLLOW = new Set(
  (
    'for from user file module package name named command function method class property attribute key host target ' +
    'script task crate type variable table column directory folder test service container image branch import by job ' +
    'step workstream id program loading opening open spawn token endpoint fail'
  ).split(' '),
);

const FEWEST = 3;
/** Weight that is enough behind `key=`. */
const BEHIND_KEY = 4;
/** Weight that is enough where few words are left that all have in common, and where many are. */
const MOST = 8;
const LEAST = 5;

/** The weight that makes a place one of values; infinite where nothing but values would be left. */
function neededWeight(places: readonly string[], place: number): number {
  const constants = constantsBeside(places, place);
  if (constants === 0) return Number.POSITIVE_INFINITY;
  const gap = places[place - 1] ?? '';
  if (gap.endsWith('=')) return BEHIND_KEY;
  if (/^[ :]+$/.test(gap) && NAMES_FOLLOW.has((places[place - 2] ?? '').toLowerCase())) return FEWEST;
  if (gap.includes(':')) {
    const isLast = place === places.length - 1;
    if (isLast ? constants >= FEWEST : (places[place + 1] ?? '').includes(':')) return FEWEST;
  }
  return Math.min(MOST, Math.max(LEAST, MOST + 1 - constants));
}

/** How many words all shapes of a context have in common. The name of an error counts for two. */
function constantsBeside(places: readonly string[], place: number): number {
  let constants = 0;
  for (let at = 0; at < places.length; at += 2) {
    const word = places[at] ?? '';
    if (at === place || word.includes(HOLE) || !/\p{L}{2}/u.test(word)) continue;
    constants += isFrozen(word) ? 2 : 1;
  }
  return constants;
}

// ── Uniting ──

/** A shape without one of its places. */
interface Context {
  places: readonly string[];
  place: number;
  words: Set<string>;
  weight: number;
  needed: number;
  /** The shapes that have it. */
  members: number[];
}

/** Most contexts belong to one shape: that one, and the place, are a number until there is a second. */
const PLACES = 2048;

/** Hashes have 30 bits, so that V8 keeps them in place. */
const HASH_MASK = 0x3f_ff_ff_ff;

/** The part of a word in the hash of a shape: their sum, from which a place can be taken away again. */
const hashAt = (word: number, at: number): number =>
  Math.imul(Math.imul(word + 1, 0x9e_37_79_b1) ^ Math.imul(at + 1, 0x85_eb_ca_6b), 0xc2_b2_ae_35);

/** Shapes of one number of places. */
class ShapeMerge {
  /** Those given, and contexts that have become shapes. */
  readonly #shapes = new Map<string, number>();
  readonly #places: string[][] = [];
  /** A forest: the parent of each shape, itself for a root. */
  readonly #parents: number[] = [];
  /** By hash, or the next free number where different contexts have the same. */
  readonly #contexts = new Map<number, Context | number>();
  readonly #words = new Map<string, number>();
  readonly #given: { shape: number; position: number }[] = [];
  /** By name of a group the first shape that belongs to it. */
  readonly #named = new Map<string, number>();

  add(shape: string, places: string[], position: number, group: string | null): void {
    const index = this.#add(shape, places);
    this.#given.push({ shape: index, position });
    if (group === null) return;
    const named = this.#named.get(group);
    if (named === undefined) this.#named.set(group, index);
    else this.#unite(index, named);
  }

  groups(): ShapeGroup[] {
    if (this.#given.length > 1)
      for (let shape = 0; shape < this.#places.length; shape += 1) this.#look(shape);
    const groups = new Map<number, { places: string[]; members: number[] }>();
    for (const { shape, position } of this.#given) {
      const root = this.#root(shape);
      const places = this.#places[shape] ?? [];
      const group = groups.get(root);
      if (group === undefined) groups.set(root, { places: [...places], members: [position] });
      else {
        group.members.push(position);
        generalise(group.places, places);
      }
    }
    return [...groups.values()].map(({ places, members }) => ({ template: places.join(''), members }));
  }

  #add(shape: string, places: string[]): number {
    const known = this.#shapes.get(shape);
    if (known !== undefined) return known;
    const index = this.#places.length;
    this.#shapes.set(shape, index);
    this.#places.push(places);
    this.#parents.push(index);
    return index;
  }

  /** Adds a shape to its contexts. */
  #look(shape: number): void {
    const places = this.#places[shape] ?? [];
    const hashes = places.map((word, at) => hashAt(this.#numberOf(word), at));
    const whole = hashes.reduce((sum, hash) => (sum + hash) | 0, 0);
    for (let place = 0; place < places.length; place += 2) {
      const word = places[place] ?? '';
      if (word === '' || isFrozen(word)) continue;
      const hash = (whole - (hashes[place] ?? 0) + Math.imul(place, 0x27_d4_eb_2f)) & HASH_MASK;
      const context = this.#contextOf(shape, place, hash);
      if (context !== null) this.#note(context, shape, word);
    }
  }

  #numberOf(word: string): number {
    let number = this.#words.get(word);
    if (number === undefined) this.#words.set(word, (number = this.#words.size));
    return number;
  }

  /** The context of a shape without this place; null where the shape is the first that has it. */
  #contextOf(shape: number, place: number, hash: number): Context | null {
    const places = this.#places[shape] ?? [];
    for (let key = hash; ; key = (key + 1) & HASH_MASK) {
      const found = this.#contexts.get(key);
      if (found === undefined) {
        this.#contexts.set(key, shape * PLACES + place);
        return null;
      }
      const context = typeof found === 'number' ? this.#firstOf(found) : found;
      if (context.place !== place || !isSame(context.places, places, place)) continue;
      if (typeof found === 'number') {
        this.#contexts.set(key, context);
        this.#note(context, Math.floor(found / PLACES), context.places[place] ?? '');
      }
      return context;
    }
  }

  #firstOf(number: number): Context {
    const place = number % PLACES;
    const places = this.#places[Math.floor(number / PLACES)] ?? [];
    return { places, place, words: new Set(), weight: 0, needed: neededWeight(places, place), members: [] };
  }

  #note(context: Context, shape: number, word: string): void {
    if (!context.words.has(word)) {
      context.words.add(word);
      context.weight += weightOf(word);
    }
    context.members.push(shape);
    if (context.words.size < 2 || context.weight < context.needed) return;
    const places = context.places.with(context.place, HOLE);
    const general = this.#add(places.join(''), places);
    for (const member of context.members) this.#unite(member, general);
    context.members = [general];
  }

  #root(shape: number): number {
    let root = shape;
    for (let parent = this.#parents[root] ?? root; parent !== root; parent = this.#parents[root] ?? root)
      root = parent;
    this.#parents[shape] = root;
    return root;
  }

  #unite(one: number, other: number): void {
    const roots = [this.#root(one), this.#root(other)];
    this.#parents[Math.max(...roots)] = Math.min(...roots);
  }
}

/** Whether two shapes differ at most in this place. */
function isSame(one: readonly string[], other: readonly string[], place: number): boolean {
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at] && at !== place) return false;
  return true;
}

/** Makes a hole of each place that differs. */
function generalise(template: string[], places: readonly string[]): void {
  for (let at = 0; at < template.length; at += 2) if (template[at] !== places[at]) template[at] = HOLE;
}
