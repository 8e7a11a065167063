import { IntHeap } from './int-heap.ts';
import { requireAt } from './require-at.ts';
import type { ScopeTree } from './scope.ts';
import type { Signature } from './signatures.ts';

/** The signatures of one partition that wait for one lock. */
export interface LockQueue {
  readonly lock: number;
  readonly partition: number;
  /** Heads of the signatures in it and in the queues nested in it; earlier heads are not removed at once. */
  readonly heads: IntHeap;
  /** The queue that this one is nested in; null when it is in none. */
  within: LockQueue | null;
}

/** Which signature is in which queue, and which queue is nested in which. */
export class LockQueues {
  /** By lock, then by partition. */
  readonly #queues = new Map<number, Map<number, LockQueue>>();
  readonly #of = new Map<number, LockQueue>();

  /** The queue of a lock for a partition, created on first use. */
  at(lock: number, partition: number): LockQueue {
    let partitions = this.#queues.get(lock);
    if (partitions === undefined) this.#queues.set(lock, (partitions = new Map()));
    let queue = partitions.get(partition);
    if (queue === undefined)
      partitions.set(partition, (queue = { lock, partition, heads: new IntHeap(), within: null }));
    return queue;
  }

  /** The queues of a lock that were ever used. */
  all(lock: number): Iterable<LockQueue> {
    return this.#queues.get(lock)?.values() ?? [];
  }

  /** The queue that a signature is in directly; null when it is in none. */
  of(signature: number): LockQueue | null {
    return this.#of.get(signature) ?? null;
  }

  outermost(signature: number): LockQueue | null {
    let queue = this.of(signature);
    while (queue !== null && queue.within !== null) queue = queue.within;
    return queue;
  }

  /** Whether a signature is in a queue, directly or in one that is in it. */
  isIn(signature: number, queue: LockQueue): boolean {
    for (let next = this.of(signature); next !== null; next = next.within) if (next === queue) return true;
    return false;
  }

  enter(signature: number, queue: LockQueue, head: number): void {
    this.#of.set(signature, queue);
    queue.heads.push(head);
  }

  /** Nests a queue in another, where its first head represents it. */
  nest(queue: LockQueue, within: LockQueue, head: number): void {
    queue.within = within;
    within.heads.push(head);
  }

  /** Removes a signature, or the queue it is in, from the outermost queue. */
  leave(signature: number, outermost: LockQueue): void {
    const direct = this.of(signature);
    if (direct === outermost) this.#of.delete(signature);
    for (let queue = direct; queue !== null; queue = queue.within) {
      if (queue.within === outermost) queue.within = null;
    }
  }
}

const NO_LOCKS: readonly number[] = [];

/** Whether it needs no lock, as most do. */
const isFree = ({ group, places }: Signature): boolean => group === null && places.length === 0;

/**
 * The locks that running workstreams hold. A lock is a number: one for each conflict group, and two for each place of
 * the scope tree, "exactly this place is owned" and "this place or one inside it is owned". Each operation costs
 * O(depth of a path).
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
    if (isFree(signature)) return;
    for (const lock of this.#locksOf(signature)) this.#holders[lock] = requireAt(this.#holders, lock) + 1;
  }

  /** Releases what `acquire` took. Returns the locks that are free now. */
  release(signature: Signature): readonly number[] {
    if (isFree(signature)) return NO_LOCKS;
    const freed: number[] = [];
    for (const lock of this.#locksOf(signature)) {
      const holders = requireAt(this.#holders, lock) - 1;
      this.#holders[lock] = holders;
      if (holders === 0) freed.push(lock);
    }
    return freed;
  }

  /** The nearest held lock of this exact place or of one above it. */
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
