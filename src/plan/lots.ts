import { IntHeap } from '../support/int-heap.ts';

/** Where the signatures of one line wait for one lock. */
export interface Lot {
  readonly lock: number;
  readonly line: number;
  /** Heads of the signatures in it and in the lots in it, and what is left of earlier heads. */
  readonly heads: IntHeap;
  /** The lot that this one waits in as a whole; null when it is in none. */
  within: Lot | null;
}

/** Which signature waits in which lot, and which lot in which. */
export class Lots {
  /** By lock, then by line. */
  readonly #lots = new Map<number, Map<number, Lot>>();
  readonly #of = new Map<number, Lot>();

  /** The lot of a lock for a line; made when first asked for. */
  at(lock: number, line: number): Lot {
    let lines = this.#lots.get(lock);
    if (lines === undefined) this.#lots.set(lock, (lines = new Map()));
    let lot = lines.get(line);
    if (lot === undefined) lines.set(line, (lot = { lock, line, heads: new IntHeap(), within: null }));
    return lot;
  }

  /** The lots of a lock that somebody waited in. */
  all(lock: number): Iterable<Lot> {
    return this.#lots.get(lock)?.values() ?? [];
  }

  /** The lot that a signature is in directly; null when it is in none. */
  of(signature: number): Lot | null {
    return this.#of.get(signature) ?? null;
  }

  outermost(signature: number): Lot | null {
    let lot = this.of(signature);
    while (lot !== null && lot.within !== null) lot = lot.within;
    return lot;
  }

  /** Whether a signature is in a lot, directly or in one that is in it. */
  isIn(signature: number, lot: Lot): boolean {
    for (let next = this.of(signature); next !== null; next = next.within) if (next === lot) return true;
    return false;
  }

  enter(signature: number, lot: Lot, head: number): void {
    this.#of.set(signature, lot);
    lot.heads.push(head);
  }

  /** Puts a lot with all that is in it into another, where its first head stands for it. */
  nest(lot: Lot, within: Lot, head: number): void {
    lot.within = within;
    within.heads.push(head);
  }

  /** Takes a signature, or the lot it is in, out of the outermost lot. */
  leave(signature: number, outermost: Lot): void {
    const direct = this.of(signature);
    if (direct === outermost) this.#of.delete(signature);
    for (let lot = direct; lot !== null; lot = lot.within) {
      if (lot.within === outermost) lot.within = null;
    }
  }
}
