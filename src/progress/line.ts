import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { oneLine } from '../support/printable.ts';
import type { Glyphs } from './glyphs.ts';

const ASCII_ONLY = /^[ -~]*$/;
const BEYOND_ASCII = /[^ -~]/gu;

/** Text from a workstream as it may be shown: on one line, at most `characters` of it, without control characters. */
export function clean(text: string, characters: number, glyphs: Glyphs): string {
  const flat = oneLine(text, characters);
  return glyphs.ascii ? flat.replaceAll('…', glyphs.ellipsis).replaceAll(BEYOND_ASCII, '?') : flat;
}

/** Columns that a text takes. Measuring other than ASCII costs a hundred times more, and most text is ASCII. */
export function columnsOf(text: string): number {
  return ASCII_ONLY.test(text) ? text.length : stringWidth(text);
}

/** A text cut to `columns`, with an ellipsis where it was. */
export function fit(text: string, columns: number, { ellipsis }: Glyphs): string {
  if (columns <= 0) return '';
  if (text.length <= columns && ASCII_ONLY.test(text)) return text;
  if (ASCII_ONLY.test(text)) return text.slice(0, columns - 1) + ellipsis;
  let result = text;
  // cli-truncate gives one column too many where a wide character stands at the end, so it is asked again for less.
  for (let width = columns; width > 0 && stringWidth(result) > columns; width -= 1) {
    result = cliTruncate(text, width, { truncationCharacter: ellipsis });
  }
  return result;
}

/** A line that is put together from left to right and never gets wider than its window. */
export class Line {
  readonly #glyphs: Glyphs;
  #left: number;
  #text = '';

  constructor(columns: number, glyphs: Glyphs) {
    this.#left = columns;
    this.#glyphs = glyphs;
  }

  /** Columns that are still free. */
  get left(): number {
    return this.#left;
  }

  /**
   * Appends a piece; one that does not fit is cut and ends the line.
   * @param paint colours the piece once it has its final length.
   * @param columns the width of the piece where it is known.
   */
  add(piece: string, paint: (text: string) => string = String, columns = columnsOf(piece)): this {
    if (this.#left <= 0 || piece === '') return this;
    if (columns <= this.#left) {
      this.#text += paint(piece);
      this.#left -= columns;
    } else {
      this.#text += paint(fit(piece, this.#left, this.#glyphs));
      this.#left = 0;
    }
    return this;
  }

  toString(): string {
    return this.#text;
  }
}
