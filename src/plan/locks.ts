import { at } from './at.ts';
import type { ScopeTree } from './scope-tree.ts';
import type { Signature } from './signatures.ts';

/**
 * What the running workstreams hold. A lock is a number: one a conflict group, and two a place of the scope tree:
 * "somebody owns exactly this place" and "somebody owns this place or one inside it". Each costs O(depth of a path).
 */
export class Locks {
  readonly #tree: ScopeTree;
  readonly #groups: number;
  /** By lock: how many running scopes hold it. */
  readonly #holders: Int32Array;

  constructor(groups: number, tree: ScopeTree) {
    this.#tree = tree;
    this.#groups = groups;
    this.#holders = new Int32Array(groups + 2 * tree.size);
  }

  isHeld(lock: number): boolean {
    return at(this.#holders, lock) > 0;
  }

  /** A lock that keeps this signature from running now; null when it may run. */
  blocking(signature: Signature): number | null {
    if (signature.group !== null && this.isHeld(signature.group)) return signature.group;
    for (const place of signature.places) {
      const owned = this.#ownedFrom(place);
      if (owned !== null) return owned;
      const inside = this.#inside(place);
      if (this.isHeld(inside)) return inside;
    }
    return null;
  }

  /** A held lock that blocks everything that this lock could block, whatever else that needs; null for none. */
  above(lock: number): number | null {
    if (lock < this.#groups) return null;
    const place = (lock - this.#groups) >> 1;
    return this.#ownedFrom(this.#tree.parent(place));
  }

  acquire(signature: Signature): void {
    for (const lock of this.#locksOf(signature)) this.#holders[lock] = at(this.#holders, lock) + 1;
  }

  /** Gives up what `acquire` took; the locks that nobody holds any more. */
  release(signature: Signature): number[] {
    const freed: number[] = [];
    for (const lock of this.#locksOf(signature)) {
      const holders = at(this.#holders, lock) - 1;
      this.#holders[lock] = holders;
      if (holders === 0) freed.push(lock);
    }
    return freed;
  }

  /** The nearest held lock of somebody who owns this place or one above it. */
  #ownedFrom(place: number): number | null {
    for (let above = place; above !== -1; above = this.#tree.parent(above)) {
      const owned = this.#owned(above);
      if (this.isHeld(owned)) return owned;
    }
    return null;
  }

  /** A lock that several of its places share comes more than once. */
  *#locksOf({ group, places }: Signature): Generator<number> {
    if (group !== null) yield group;
    for (const place of places) {
      yield this.#owned(place);
      for (let above = place; above !== -1; above = this.#tree.parent(above)) yield this.#inside(above);
    }
  }

  #owned(place: number): number {
    return this.#groups + 2 * place;
  }

  #inside(place: number): number {
    return this.#groups + 2 * place + 1;
  }
}
