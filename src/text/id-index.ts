/**
 * Ids by number, as a `Map` of them would have it. In one array of integers: for a million ids growing a `Map`, and the
 * garbage collector that has to look through it meanwhile, take more time than reading their files.
 */
export class IdIndex {
  readonly #idOf: (number: number) => string;
  /** A number plus 1, at the hash of its id or behind that; 0 where there is none. Never more than half full. */
  readonly #slots: Int32Array;

  /**
   * @param most how many numbers are added at most.
   * @param idOf returns the id of a number that was added, or is being added.
   */
  constructor(most: number, idOf: (number: number) => string) {
    this.#idOf = idOf;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * most + 2)));
  }

  /** Adds a number, unless its id was added before: then it returns the number that it was added with. */
  add(number: number): number | null {
    const slot = this.#find(this.#idOf(number));
    const before = this.#slots[slot] ?? 0;
    if (before > 0) return before - 1;
    this.#slots[slot] = number + 1;
    return null;
  }

  /** The number of an id; null where it was not added. */
  numberOf(id: string): number | null {
    const found = this.#slots[this.#find(id)] ?? 0;
    return found === 0 ? null : found - 1;
  }

  /** The slot of an id, or the empty one where it belongs. */
  #find(id: string): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(id) & mask;
    for (let taken = this.#slots[slot] ?? 0; taken > 0; taken = this.#slots[slot] ?? 0) {
      if (this.#idOf(taken - 1) === id) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}

/** FNV-1a, with its upper bits mixed into the lower ones. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
