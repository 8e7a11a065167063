import { IntHeap } from './int-heap.ts';
import { requireAt } from './require-at.ts';
import type { ScopeTree } from './scope.ts';
import type { Signature } from './signatures.ts';

/** Where the signatures of one line wait for one lock. */
export interface LockQueue {
  readonly lock: number;
  readonly line: number;
  /** Heads of the signatures in it and in the lots in it, and what is left of earlier heads. */
  readonly heads: IntHeap;
  /** The lot that this one waits in as a whole; null when it is in none. */
  within: LockQueue | null;
}

/** Which signature waits in which lot, and which lot in which. */
export class LockQueues {
  /** By lock, then by line. */
  readonly #lots = new Map<number, Map<number, LockQueue>>();
  readonly #of = new Map<number, LockQueue>();

  /** The lot of a lock for a line; made when first asked for. */
  at(lock: number, line: number): LockQueue {
    let lines = this.#lots.get(lock);
    if (lines === undefined) this.#lots.set(lock, (lines = new Map()));
    let lot = lines.get(line);
    if (lot === undefined) lines.set(line, (lot = { lock, line, heads: new IntHeap(), within: null }));
    return lot;
  }

  /** The lots of a lock that somebody waited in. */
  all(lock: number): Iterable<LockQueue> {
    return this.#lots.get(lock)?.values() ?? [];
  }

  /** The lot that a signature is in directly; null when it is in none. */
  of(signature: number): LockQueue | null {
    return this.#of.get(signature) ?? null;
  }

  outermost(signature: number): LockQueue | null {
    let lot = this.of(signature);
    while (lot !== null && lot.within !== null) lot = lot.within;
    return lot;
  }

  /** Whether a signature is in a lot, directly or in one that is in it. */
  isIn(signature: number, lot: LockQueue): boolean {
    for (let next = this.of(signature); next !== null; next = next.within) if (next === lot) return true;
    return false;
  }

  enter(signature: number, lot: LockQueue, head: number): void {
    this.#of.set(signature, lot);
    lot.heads.push(head);
  }

  /** Puts a lot with all that is in it into another, where its first head stands for it. */
  nest(lot: LockQueue, within: LockQueue, head: number): void {
    lot.within = within;
    within.heads.push(head);
  }

  /** Takes a signature, or the lot it is in, out of the outermost lot. */
  leave(signature: number, outermost: LockQueue): void {
    const direct = this.of(signature);
    if (direct === outermost) this.#of.delete(signature);
    for (let lot = direct; lot !== null; lot = lot.within) {
      if (lot.within === outermost) lot.within = null;
    }
  }
}

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
    return requireAt(this.#holders, lock) > 0;
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
    for (const lock of this.#locksOf(signature)) this.#holders[lock] = requireAt(this.#holders, lock) + 1;
  }

  /** Gives up what `acquire` took; the locks that nobody holds any more. */
  release(signature: Signature): number[] {
    const freed: number[] = [];
    for (const lock of this.#locksOf(signature)) {
      const holders = requireAt(this.#holders, lock) - 1;
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
