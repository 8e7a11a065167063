import { IntHeap } from './int-heap.ts';
import { requireAt } from './require-at.ts';
import { Locks, type LockQueue, LockQueues } from './lock-queues.ts';
import type { Signature, Signatures } from './signatures.ts';

/**
 * The ready workstreams, in lines. A workstream is its index, and a smaller index is earlier.
 *
 * Workstreams with one signature are blocked together, so only the first of them, their head, is looked at. A
 * signature is either open (its head is in the heap of its line) or in the lot of a lock that kept it from running.
 * When a lock is released only the first head of its lot is offered to the line, and the next one when that has left
 * the lot. So however many wait for one lock, each costs O(log V), times the depth of its paths. Only signatures that
 * differ and share several things which others hold by turns move more often than that.
 *
 * Entries of heaps are checked when they come up (are they still a head?) instead of being taken out of the middle.
 * What holds all the time: the first head of a lot whose lock is free, and that is in no other lot, is in the heap of
 * its line.
 */
export class ReadyLanes {
  readonly #signatures: Signatures;
  readonly #locks: Locks;
  readonly #lots = new LockQueues();
  /** By line: heads that may be able to run. */
  readonly #open: IntHeap[];
  /** By signature: its ready workstreams; made when the first is ready. */
  readonly #queues: (IntHeap | undefined)[];
  readonly #isReady: Uint8Array;

  constructor(signatures: Signatures, lines: number) {
    this.#signatures = signatures;
    this.#locks = new Locks(signatures.groups, signatures.tree);
    this.#open = Array.from({ length: lines }, () => new IntHeap());
    this.#queues = signatures.all.map(() => undefined);
    this.#isReady = new Uint8Array(signatures.of.length);
  }

  has(index: number): boolean {
    return this.#isReady[index] === 1;
  }

  add(index: number): void {
    const signature = requireAt(this.#signatures.of, index);
    const queue = (this.#queues[signature] ??= new IntHeap());
    this.#isReady[index] = 1;
    queue.push(index);
    if (this.#head(signature) === index) this.#newHead(signature, index);
  }

  /** Takes one out that was never started. */
  remove(index: number): void {
    const signature = requireAt(this.#signatures.of, index);
    const wasHead = this.#head(signature) === index;
    this.#isReady[index] = 0;
    if (!wasHead) return;
    const head = this.#head(signature);
    if (head !== undefined) this.#newHead(signature, head);
    // It may have stood for each of the lots it was in.
    for (let lot = this.#lots.of(signature); lot !== null; lot = lot.within) this.#offerFirst(lot);
  }

  /** The first of a line that may run beside what is running; undefined when there is none. */
  first(line: number): number | undefined {
    const open = this.#line(line);
    for (let index = open.peek(); index !== undefined; index = open.peek()) {
      const signature = requireAt(this.#signatures.of, index);
      if (this.#head(signature) === index && this.#leaveLots(signature, index)) {
        const lock = this.#locks.blocking(this.#signature(signature));
        if (lock === null) return index;
        this.#lots.enter(signature, this.#lots.at(lock, line), index);
      }
      open.pop();
    }
    return undefined;
  }

  /** Takes out what `first` gave, and blocks what may not run beside it. */
  start(index: number): void {
    const signature = requireAt(this.#signatures.of, index);
    this.#isReady[index] = 0;
    this.#locks.acquire(this.#signature(signature));
    const head = this.#head(signature);
    if (head !== undefined) this.#newHead(signature, head);
  }

  /** Says that what was started has ended. */
  release(index: number): void {
    const signature = this.#signature(requireAt(this.#signatures.of, index));
    for (const lock of this.#locks.release(signature)) {
      for (const lot of this.#lots.all(lock)) this.#offerFirst(lot);
    }
  }

  #signature(signature: number): Signature {
    const found = this.#signatures.all[signature];
    if (found === undefined) throw new RangeError(`there is no signature ${signature}`);
    return found;
  }

  #line(line: number): IntHeap {
    const open = this.#open[line];
    if (open === undefined) throw new RangeError(`there is no line ${line}`);
    return open;
  }

  #head(signature: number): number | undefined {
    const queue = this.#queues[signature];
    let head = queue?.peek();
    while (head !== undefined && !this.has(head)) {
      queue?.pop();
      head = queue?.peek();
    }
    return head;
  }

  #newHead(signature: number, head: number): void {
    const lot = this.#lots.of(signature);
    if (lot === null) this.#line(this.#signature(signature).line).push(head);
    else this.#offer(lot, head);
  }

  /**
   * Takes a head's signature out of the lots it is in, the outermost first, and offers the next one of each. False
   * when it can't leave yet: a lock is held, and a release will offer it again.
   */
  #leaveLots(signature: number, head: number): boolean {
    for (let lot = this.#lots.outermost(signature); lot !== null; lot = this.#lots.outermost(signature)) {
      if (this.#locks.isHeld(lot.lock)) return false;
      const above = this.#locks.above(lot.lock);
      if (above !== null) {
        this.#lots.nest(lot, this.#lots.at(above, lot.line), head);
        return false;
      }
      this.#lots.leave(signature, lot);
      this.#offerFirst(lot);
    }
    return true;
  }

  /** Puts a head into a lot and those it is in, and into the line unless the outermost lock is held. */
  #offer(lot: LockQueue, head: number): void {
    let outermost = lot;
    for (let next: LockQueue | null = lot; next !== null; next = next.within) {
      next.heads.push(head);
      outermost = next;
    }
    if (!this.#locks.isHeld(outermost.lock)) this.#line(lot.line).push(head);
  }

  /** Offers the first head of a lot; its signature stays there until the head comes up in the line. */
  #offerFirst(lot: LockQueue): void {
    for (let head = lot.heads.pop(); head !== undefined; head = lot.heads.pop()) {
      const signature = requireAt(this.#signatures.of, head);
      if (this.#head(signature) === head && this.#lots.isIn(signature, lot)) return this.#offer(lot, head);
    }
  }
}
