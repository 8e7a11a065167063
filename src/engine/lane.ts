/** How long a batch may wait for its agent, and a member for the others of its batch, in milliseconds. */
export const WAIT_MS = 20;

/** What one agent executes, and the batches that wait for it: each goes to the agent's thread when the one before has ended. */
export class Lane {
  #active = 0;
  readonly #waiting = new Set<() => void>();
  readonly #waitMs: number;

  /** @param waitMs how long a batch may wait, in milliseconds. */
  constructor(waitMs = WAIT_MS) {
    this.#waitMs = waitMs;
  }

  get isIdle(): boolean {
    return this.#active === 0;
  }

  /** Begins something, whether the agent is idle or not. */
  enter(): void {
    this.#active += 1;
  }

  leave(): void {
    this.#active -= 1;
    const [next] = this.#waiting;
    if (this.#active === 0) next?.();
  }

  /** Enters as soon as the agent is idle. Resolves with false where that is not soon, or `signal` is aborted before. */
  async enterSoon(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (!this.isIdle) return this.#turn(signal);
    this.enter();
    return true;
  }

  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasTurn: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        this.#waiting.delete(take);
        resolve(hasTurn);
      };
      const take = (): void => {
        this.enter();
        end(true);
      };
      const giveUp = (): void => end(false);
      const timer = setTimeout(giveUp, this.#waitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(take);
    });
  }
}
