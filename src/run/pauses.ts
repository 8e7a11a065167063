/** Timers that are all stopped together. */
export class Pauses {
  readonly #timers = new Set<NodeJS.Timeout>();

  /** How many are under way. */
  get size(): number {
    return this.#timers.size;
  }

  /** Calls `then` after so many seconds, unless `clear` comes first; never at once. */
  add(seconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, seconds * 1000);
    this.#timers.add(timer);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
