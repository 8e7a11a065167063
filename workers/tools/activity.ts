/** What a tool is doing now, in a few words for the live progress. */
import { relative } from 'node:path';
import { oneLine } from '../../src/support/printable.ts';

/** Characters of an activity. */
const WIDTH = 120;

/** Holds the newest activity until it is asked for. */
export class Activity {
  #now: string | null = null;
  readonly #folder: string;

  /** `folder` is the one that the tool works in: paths inside are shown from there. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes the beginning of what the tool says. Empty text is no activity. */
  says(text: string): void {
    const line = oneLine(text, WIDTH);
    if (line !== '') this.#now = line;
  }

  /** Takes what it does and to what: `does('edits', path)`. */
  does(verb: string, what: string | null): void {
    this.says(what === null ? verb : `${verb} ${this.#shown(what)}`);
  }

  /** The newest since the last call; null for nothing new. */
  take(): string | null {
    const now = this.#now;
    this.#now = null;
    return now;
  }

  #shown(what: string): string {
    return what.startsWith(`${this.#folder}/`) ? relative(this.#folder, what) : what;
  }
}
