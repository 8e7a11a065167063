import { IntHeap } from '../support/int-heap.ts';
import { at } from './at.ts';
import { Locks } from './locks.ts';
import type { Signature, Signatures } from './signatures.ts';

const NOT_PARKED = -1;

/**
 * The ready workstreams, in lines. A workstream is its index, and a smaller index is earlier.
 *
 * Workstreams with one signature are blocked together, so only the first of them, their head, is looked at. A
 * signature is either open (its head is in the heap of its line) or parked at a lock that kept it from running. When
 * a lock is free again only the first of those parked at it is opened, and the next one when that is let through. So
 * a workstream costs O(log V) however many wait for the same lock. Entries of heaps are checked when they come up
 * (are they still a head?) instead of being taken out of the middle.
 */
export class Lines {
  readonly #signatures: Signatures;
  readonly #locks: Locks;
  /** By line: heads that may be able to run. */
  readonly #open: IntHeap[];
  /** By signature: its ready workstreams; made when the first is ready. */
  readonly #queues: (IntHeap | undefined)[];
  /** By signature: the lock it is parked at. */
  readonly #parkedAt: Int32Array;
  /** By lock and line: heads of the signatures parked there. */
  readonly #parked = new Map<number, Map<number, IntHeap>>();
  readonly #isReady: Uint8Array;

  constructor(signatures: Signatures, lines: number) {
    this.#signatures = signatures;
    this.#locks = new Locks(signatures.groups, signatures.tree);
    this.#open = Array.from({ length: lines }, () => new IntHeap());
    this.#queues = signatures.all.map(() => undefined);
    this.#parkedAt = new Int32Array(signatures.all.length).fill(NOT_PARKED);
    this.#isReady = new Uint8Array(signatures.of.length);
  }

  has(index: number): boolean {
    return this.#isReady[index] === 1;
  }

  add(index: number): void {
    const signature = at(this.#signatures.of, index);
    const queue = (this.#queues[signature] ??= new IntHeap());
    this.#isReady[index] = 1;
    queue.push(index);
    if (this.#head(signature) === index) this.#offer(signature, index);
  }

  /** Takes one out that was never started. */
  remove(index: number): void {
    const signature = at(this.#signatures.of, index);
    const wasHead = this.#head(signature) === index;
    this.#isReady[index] = 0;
    if (!wasHead) return;
    const head = this.#head(signature);
    if (head !== undefined) this.#offer(signature, head);
    const lock = at(this.#parkedAt, signature);
    if (lock !== NOT_PARKED) this.#openFirst(lock, this.#signature(signature).line);
  }

  /** Takes out all that are ready; in order. */
  clear(): number[] {
    const all = [...this.#isReady.keys()].filter((index) => this.has(index));
    this.#isReady.fill(0);
    return all;
  }

  /** The first of a line that may run beside what is running; undefined when there is none. */
  first(line: number): number | undefined {
    const open = this.#open[line];
    if (open === undefined) throw new RangeError(`there is no line ${line}`);
    for (let index = open.peek(); index !== undefined; index = open.peek()) {
      const signature = at(this.#signatures.of, index);
      if (this.#head(signature) === index && this.#letThrough(signature, line)) {
        const lock = this.#locks.blocking(this.#signature(signature));
        if (lock === null) return index;
        this.#park(signature, index, lock);
      }
      open.pop();
    }
    return undefined;
  }

  /** Takes out what `first` gave, and blocks what may not run beside it. */
  start(index: number): void {
    const signature = at(this.#signatures.of, index);
    this.#isReady[index] = 0;
    this.#locks.acquire(this.#signature(signature));
    const head = this.#head(signature);
    if (head !== undefined) this.#offer(signature, head);
  }

  /** Says that what was started has ended. */
  release(index: number): void {
    const signature = this.#signature(at(this.#signatures.of, index));
    for (const lock of this.#locks.release(signature)) {
      for (const line of this.#parked.get(lock)?.keys() ?? []) this.#openFirst(lock, line);
    }
  }

  #signature(signature: number): Signature {
    const found = this.#signatures.all[signature];
    if (found === undefined) throw new RangeError(`there is no signature ${signature}`);
    return found;
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

  /** Puts a new head where it is found: in its line, and among those parked where its signature is. */
  #offer(signature: number, head: number): void {
    const { line } = this.#signature(signature);
    const lock = at(this.#parkedAt, signature);
    if (lock !== NOT_PARKED) this.#parkedHeads(lock, line).push(head);
    if (lock === NOT_PARKED || !this.#locks.isHeld(lock)) this.#open[line]?.push(head);
  }

  /** Whether the signature is open. One that is parked at a free lock is opened, and the next one there offered. */
  #letThrough(signature: number, line: number): boolean {
    const lock = at(this.#parkedAt, signature);
    if (lock === NOT_PARKED) return true;
    if (this.#locks.isHeld(lock)) return false;
    this.#parkedAt[signature] = NOT_PARKED;
    this.#openFirst(lock, line);
    return true;
  }

  #park(signature: number, head: number, lock: number): void {
    this.#parkedAt[signature] = lock;
    this.#parkedHeads(lock, this.#signature(signature).line).push(head);
  }

  #parkedHeads(lock: number, line: number): IntHeap {
    let lines = this.#parked.get(lock);
    if (lines === undefined) this.#parked.set(lock, (lines = new Map()));
    let heads = lines.get(line);
    if (heads === undefined) lines.set(line, (heads = new IntHeap()));
    return heads;
  }

  /** Offers the first of the heads parked at a lock to their line; they stay parked until it comes up there. */
  #openFirst(lock: number, line: number): void {
    const heads = this.#parkedHeads(lock, line);
    for (let head = heads.peek(); head !== undefined; head = heads.peek()) {
      const signature = at(this.#signatures.of, head);
      if (this.#parkedAt[signature] === lock && this.#head(signature) === head) {
        this.#open[line]?.push(head);
        return;
      }
      heads.pop();
    }
  }
}
