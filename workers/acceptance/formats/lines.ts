/** Longest line that is looked at, in characters. */
import { firstOf } from '../../../src/support/cut-text.ts';

const LINE = 4000;

/** The lines of a text one by one, each cut to 4,000 characters, so that no line costs more than that. */
export function* linesOf(text: string): Generator<string, void, undefined> {
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    yield firstOf(text.slice(start, Math.min(end, start + LINE + 1)), LINE);
    start = end + 1;
  }
}

/** Collects the lines of one message, up to the length that a result may hold. */
export class MessageLines {
  #text = '';

  add(line: string): void {
    if (this.#text.length < LINE) this.#text += `${line}\n`;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}
