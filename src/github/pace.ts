/**
 * Keeps to the limit of what the public GitHub lets one create: 80 issues, comments and pull requests a minute and 500 an
 * hour together, as its documentation says under "Rate limits for the REST API". The plugin for throttling keeps writes
 * apart by seconds and knows nothing of the hour.
 */

export interface CreationLimit {
  /** In milliseconds. */
  window: number;
  most: number;
}

export const PUBLIC_LIMITS: readonly CreationLimit[] = [
  { window: 60_000, most: 80 },
  { window: 3_600_000, most: 500 },
];

export interface PaceOptions {
  limits: readonly CreationLimit[];
  /** Milliseconds, from any time on. */
  now: () => number;
  wait: (milliseconds: number) => Promise<void>;
  /** Told of a wait that a person would notice, in milliseconds. */
  onWait: (milliseconds: number) => void;
}

/** A wait that a person would notice, in milliseconds. */
const NOTICED_MS = 10_000;

export class Pace {
  readonly #options: PaceOptions;
  /** When the last requests were let through. */
  #times: number[] = [];

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Resolves when one more may be created. Call it before each, one at a time. */
  async turn(): Promise<void> {
    const { now, wait, onWait, limits } = this.#options;
    for (let left = this.#left(now()); left > 0; left = this.#left(now())) {
      if (left >= NOTICED_MS) onWait(left);
      await wait(left);
    }
    const longest = limits.reduce((most, { window }) => Math.max(most, window), 0);
    this.#times = [...this.#times.filter((time) => time > now() - longest), now()];
  }

  /** Milliseconds until one more may be created. */
  #left(at: number): number {
    const waits = this.#options.limits.map(({ window, most }) => {
      const first = this.#times.at(-most);
      return first === undefined ? 0 : first + window - at;
    });
    return Math.max(0, ...waits);
  }
}
