import { IntHeap } from './int-heap.ts';
import { type LockQueue, LockQueues, Locks } from './lock-queues.ts';
import { requireAt } from './require-at.ts';
import type { Signature, Signatures } from './signatures.ts';

/** Heads that may be able to run. Where nothing reserves anything, all fit; what quotas refuse is not among them. */
export interface OpenHeads {
  push(index: number): void;
  /** The smallest, or the smallest of those for which there are processors and memory. */
  peek(mustFit: boolean): number | undefined;
  pop(mustFit: boolean): number | undefined;
}

/**
 * The ready workstreams, in partitions. A workstream is its index, and a smaller index is earlier.
 *
 * Workstreams with one signature are blocked together, so only the first of them, their head, is looked at. A
 * signature is either open (its head is in the heap of its partition) or in the queue of a lock that kept it from
 * running. When a lock is released only the first head of its queue is offered to the partition, and the next one when
 * that has left the queue. So however many wait for one lock, each costs O(log V), times the depth of its paths. Only
 * signatures that differ and share several locks which others hold by turns, or wait by turns for a lock and for what
 * they reserve, move more often than that.
 *
 * An entry of a heap is checked when it comes up (is it still a head?) instead of being removed from the middle.
 * Invariant: the first head of a queue whose lock is free, and which is in no other queue, is in the heap of its
 * partition, or, where not all heads are alike, in its heap of offered heads: one that does not fit has to leave its queue
 * too, so that those behind it are looked at.
 */
export class ReadyPartitions {
  readonly #signatures: Signatures;
  readonly #locks: Locks;
  readonly #lockQueues = new LockQueues();
  /** By partition: heads that may be able to run. */
  readonly #open: OpenHeads[];
  /** By partition: heads of queues whose lock is free; null where all heads are alike: then these are among the open ones. */
  readonly #offered: IntHeap[] | null;
  /** By signature: its ready workstreams; made when the first is ready. */
  readonly #ready: (IntHeap | undefined)[];
  readonly #isReady: Uint8Array;

  /** @param makeHeap where heads are not alike, and some are passed over. Default: the smallest is the next. */
  constructor(signatures: Signatures, partitions: number, makeHeap: (() => OpenHeads) | null = null) {
    this.#signatures = signatures;
    this.#locks = new Locks(signatures.groups.size, signatures.tree);
    this.#open = Array.from({ length: partitions }, makeHeap ?? (() => new IntHeap()));
    this.#offered = makeHeap === null ? null : this.#open.map(() => new IntHeap());
    this.#ready = signatures.all.map(() => undefined);
    this.#isReady = new Uint8Array(signatures.of.length);
  }

  has(index: number): boolean {
    return this.#isReady[index] === 1;
  }

  add(index: number): void {
    const signature = requireAt(this.#signatures.of, index);
    const queue = (this.#ready[signature] ??= new IntHeap());
    this.#isReady[index] = 1;
    queue.push(index);
    if (this.#head(signature) === index) this.#newHead(signature, index);
  }

  /**
   * The first of a partition that may run beside what is running; undefined when there is none.
   * @param mustFit whether there must be processors and memory for it as well. Default: true.
   */
  first(partition: number, mustFit = true): number | undefined {
    const open = this.#partition(partition);
    for (;;) {
      const index = open.peek(mustFit);
      if (this.#takeOffered(partition, index)) continue;
      if (index === undefined) return undefined;
      const signature = requireAt(this.#signatures.of, index);
      if (this.#head(signature) === index && this.#leaveQueues(signature, index)) {
        const lock = this.#locks.blocking(this.#signature(signature));
        if (lock === null) return index;
        this.#lockQueues.enter(signature, this.#lockQueues.at(lock, partition), index);
      }
      open.pop(mustFit);
    }
  }

  /** Opens the first head that was offered, unless that comes after `before`. Returns whether there was one. */
  #takeOffered(partition: number, before = Number.POSITIVE_INFINITY): boolean {
    const offered = this.#offered?.[partition];
    const index = offered?.peek();
    if (index === undefined || index > before) return false;
    offered?.pop();
    const signature = requireAt(this.#signatures.of, index);
    if (this.#head(signature) === index && this.#leaveQueues(signature, index))
      this.#partition(partition).push(index);
    return true;
  }

  /** Whether it is ready, and neither a lock nor an earlier one with the same locks keeps it from running. */
  isOpen(index: number): boolean {
    const signature = requireAt(this.#signatures.of, index);
    if (this.#head(signature) !== index || !this.#leaveQueues(signature, index)) return false;
    return this.#locks.blocking(this.#signature(signature)) === null;
  }

  /** Removes what `first` returned, and blocks what may not run beside it. */
  start(index: number): void {
    this.#locks.acquire(this.#signature(requireAt(this.#signatures.of, index)));
    this.remove(index);
  }

  /** Removes what `first` returned without starting it. */
  remove(index: number): void {
    const signature = requireAt(this.#signatures.of, index);
    this.#isReady[index] = 0;
    const head = this.#head(signature);
    if (head !== undefined) this.#newHead(signature, head);
  }

  /** Unblocks what could not run beside a workstream that was started and has ended. */
  release(index: number): void {
    this.#releaseLocks(this.#signature(requireAt(this.#signatures.of, index)));
  }

  /**
   * Blocks the members of these conflict groups as a running member of each would. Returns what unblocks them; null, and
   * nothing is blocked, where one of them runs.
   */
  hold(conflictGroups: readonly string[]): (() => void) | null {
    const held = conflictGroups.flatMap((name): Signature[] => {
      const group = this.#signatures.groups.get(name);
      return group === undefined ? [] : [{ partition: 0, group, places: [], kind: 0 }];
    });
    if (held.some((signature) => this.#locks.blocking(signature) !== null)) return null;
    for (const signature of held) this.#locks.acquire(signature);
    return () => {
      for (const signature of held) this.#releaseLocks(signature);
    };
  }

  #releaseLocks(signature: Signature): void {
    for (const lock of this.#locks.release(signature)) {
      for (const queue of this.#lockQueues.all(lock)) this.#offerFirst(queue);
    }
  }

  #signature(signature: number): Signature {
    const found = this.#signatures.all[signature];
    if (found === undefined) throw new RangeError(`there is no signature ${signature}`);
    return found;
  }

  #partition(partition: number): OpenHeads {
    const open = this.#open[partition];
    if (open === undefined) throw new RangeError(`there is no partition ${partition}`);
    return open;
  }

  #head(signature: number): number | undefined {
    const queue = this.#ready[signature];
    let head = queue?.peek();
    while (head !== undefined && !this.has(head)) {
      queue?.pop();
      head = queue?.peek();
    }
    return head;
  }

  #newHead(signature: number, head: number): void {
    const queue = this.#lockQueues.of(signature);
    if (queue === null) this.#partition(this.#signature(signature).partition).push(head);
    else this.#offer(queue, head);
  }

  /**
   * Removes a head's signature from the queues it is in, the outermost first, and offers the next one of each. False
   * when it can't leave yet: a lock is held, and a release will offer it again.
   */
  #leaveQueues(signature: number, head: number): boolean {
    for (
      let queue = this.#lockQueues.outermost(signature);
      queue !== null;
      queue = this.#lockQueues.outermost(signature)
    ) {
      if (this.#locks.isHeld(queue.lock)) return false;
      const above = this.#locks.above(queue.lock);
      if (above !== null) {
        this.#lockQueues.nest(queue, this.#lockQueues.at(above, queue.partition), head);
        return false;
      }
      this.#lockQueues.leave(signature, queue);
      this.#offerFirst(queue);
    }
    return true;
  }

  /** Adds a head to a queue and those it is in, and to the partition unless the outermost lock is held. */
  #offer(queue: LockQueue, head: number): void {
    let outermost = queue;
    for (let next: LockQueue | null = queue; next !== null; next = next.within) {
      next.heads.push(head);
      outermost = next;
    }
    if (this.#locks.isHeld(outermost.lock)) return;
    const to = this.#offered?.[queue.partition] ?? this.#partition(queue.partition);
    to.push(head);
  }

  /** Offers the first head of a queue; its signature stays there until the head comes up in the partition. */
  #offerFirst(queue: LockQueue): void {
    for (let head = queue.heads.pop(); head !== undefined; head = queue.heads.pop()) {
      const signature = requireAt(this.#signatures.of, head);
      if (this.#head(signature) === head && this.#lockQueues.isIn(signature, queue))
        return this.#offer(queue, head);
    }
  }
}
