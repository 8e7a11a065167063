import type { Lot, Order } from './lot.ts';

/** How long something may be lined up behind what an agent has in hand, in milliseconds. */
const WAIT_MS = 20;

/**
 * What one agent has in hand and what is lined up behind it. What is lined up goes to the agent's thread in one lot
 * as soon as the lot before has ended, so that the thread waits for the main thread once a lot and not once an
 * assignment. What a thread has not begun in time is given back.
 */
export class Line {
  readonly #start: (orders: Order[]) => Promise<void>;
  #waiting: Order[] = [];
  #inHand = 0;
  #lot: Lot | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param start hands orders to a thread; resolves when all of them have ended. Never rejects. */
  constructor(start: (orders: Order[], onLot: (lot: Lot) => void) => Promise<void>) {
    this.#start = (orders) => start(orders, (lot) => this.#handed(lot));
  }

  /** Starts it now. */
  async begin(orders: Order[]): Promise<void> {
    this.#inHand += 1;
    await this.#start(orders);
    this.#inHand -= 1;
    this.#stopClock();
    this.#lot = null;
    const next = this.#waiting;
    this.#waiting = [];
    if (next.length > 0) void this.begin(next);
  }

  /** Starts it when nothing is in hand, or lines it up. */
  add(order: Order): void {
    if (this.#inHand === 0) void this.begin([order]);
    else {
      this.#waiting.push(order);
      this.#startClock();
    }
  }

  #handed(lot: Lot): void {
    this.#lot = lot;
    if (lot.executionIds.length > 1) this.#startClock();
  }

  #startClock(): void {
    this.#timer ??= setTimeout(() => this.#giveBack(), WAIT_MS);
  }

  #stopClock(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #giveBack(): void {
    this.#timer = null;
    this.#lot?.takeBack();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { giveBack } of waiting) giveBack?.();
  }
}
