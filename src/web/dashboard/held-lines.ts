/** The last lines of what is printed, as far as a page holds them. */
import { signal } from '@preact/signals';

/** Most lines that are held, and most characters in them; the oldest are dropped first. */
const MOST_LINES = 50_000;
const MOST_CHARACTERS = 8_000_000;

const REDRAW_MS = 250;

export interface HeldLine {
  /** Id of the workstream that printed it; empty where it says itself whose it is, or nobody printed it. */
  of: string;
  text: string;
}

export interface LinesNow {
  lines: readonly HeldLine[];
  /** Lines that were dropped from the beginning of what was held. */
  dropped: number;
  /** Whether there is more before them than was dropped. */
  isEndOnly: boolean;
  /** Bytes that were printed, as far as it is known. */
  size: number;
  isOver: boolean;
}

/** Lines to which others are added; drawn now and then, and not while nobody sees the page. */
export class HeldLines {
  readonly now = signal<LinesNow>({ lines: [], dropped: 0, isEndOnly: false, size: 0, isOver: false });
  /** The connection by which they come: `none` until it is there for the first time. */
  readonly connection = signal<'none' | 'there' | 'lost'>('none');
  isOver = false;
  isEndOnly = false;
  size = 0;
  #lines: HeldLine[] = [];
  /** Whether the last line goes on with what is added next. */
  #isOpen = false;
  #characters = 0;
  #dropped = 0;
  #drawing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.addEventListener('visibilitychange', this.changed);
  }

  close(): void {
    clearTimeout(this.#drawing);
    document.removeEventListener('visibilitychange', this.changed);
  }

  /** Adds what a workstream printed next. A line without an end is continued by the next text. */
  add(of: string, text: string): void {
    const [first = '', ...others] = text.split('\n');
    const last = this.#lines.at(-1);
    if (this.#isOpen && last !== undefined) last.text += first;
    else this.#lines.push({ of, text: first });
    for (const line of others) this.#lines.push({ of, text: line });
    this.#isOpen = true;
    this.#characters += text.length;
    this.#bound();
  }

  /** Adds whole lines. */
  addWhole(of: string, text: string): void {
    this.add(of, text.replace(/\n$/, ''));
    this.#isOpen = false;
  }

  /** Forgets all, and says why. */
  clear(note: string): void {
    this.#lines = [];
    this.#isOpen = false;
    this.#characters = this.#dropped = this.size = 0;
    this.isEndOnly = false;
    this.addWhole('', note);
  }

  /** To be called when something was added, or what is over has changed. */
  readonly changed = (): void => {
    if (this.#drawing !== undefined || document.hidden) return;
    this.#drawing = setTimeout(() => {
      this.#drawing = undefined;
      const { isOver, isEndOnly, size } = this;
      const isEmptyLast = this.#isOpen && this.#lines.at(-1)?.text === '';
      const lines = isEmptyLast ? this.#lines.slice(0, -1) : [...this.#lines];
      this.now.value = { lines, dropped: this.#dropped, isEndOnly, size, isOver };
    }, REDRAW_MS);
  };

  /** Drops the oldest lines, many at a time. */
  #bound(): void {
    if (this.#lines.length <= MOST_LINES && this.#characters <= MOST_CHARACTERS) return;
    let drop = Math.max(0, this.#lines.length - (MOST_LINES * 3) / 4);
    let characters = this.#characters;
    for (let index = 0; index < drop; index++) characters -= this.#lengthAt(index);
    while (characters > (MOST_CHARACTERS * 3) / 4 && drop < this.#lines.length - 1)
      characters -= this.#lengthAt(drop++);
    this.#lines.splice(0, drop);
    this.#characters = characters;
    this.#dropped += drop;
    const [only] = this.#lines;
    if (this.#lines.length === 1 && only !== undefined && only.text.length > MOST_CHARACTERS) {
      only.text = only.text.slice(-MOST_CHARACTERS / 2);
      this.#characters = only.text.length;
    }
  }

  #lengthAt(index: number): number {
    return (this.#lines[index]?.text.length ?? 0) + 1;
  }
}
