import { setTimeout as pause } from 'node:timers/promises';

/** How long a batch may wait for its agent, and a member for the others of its batch, in milliseconds. */
export const WAIT_MS = 20;

/** What one agent executes, and the batches that wait for it: each goes to the agent's thread when the one before has ended. */
export class Lane {
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  get isIdle(): boolean {
    return this.#active === 0;
  }

  /** Begins something, whether the agent is idle or not. */
  enter(): void {
    this.#active += 1;
  }

  leave(): void {
    this.#active -= 1;
    if (this.#active === 0) this.#waiting.shift()?.();
  }

  /** Enters as soon as the agent is idle. Resolves with false where that is not soon, or `signal` is aborted before. */
  async enterSoon(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.isIdle) {
      this.enter();
      return true;
    }
    let onTurn = (): void => undefined;
    const turn = new Promise<true>((resolve) => {
      onTurn = () => {
        this.enter();
        resolve(true);
      };
      this.#waiting.push(onTurn);
    });
    const timer = new AbortController();
    const stop = (): void => timer.abort();
    signal.addEventListener('abort', stop, { once: true });
    const late = pause(WAIT_MS, false, { signal: timer.signal }).catch(() => false);
    const hasEntered = await Promise.race([turn, late]);
    signal.removeEventListener('abort', stop);
    timer.abort();
    const place = this.#waiting.indexOf(onTurn);
    if (place !== -1) this.#waiting.splice(place, 1);
    return hasEntered;
  }
}
