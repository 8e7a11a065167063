import { Chalk, type ChalkInstance, supportsColor, supportsColorStderr } from 'chalk';
import cliTruncate from 'cli-truncate';
import prettyMilliseconds from 'pretty-ms';
import { columnsOf } from '../text/columns.ts';
import { oneLine } from '../text/printable.ts';

const ASCII_ONLY = /^[ -~]*$/;
const BEYOND_ASCII = /[^ -~]/gu;

/** Text from a workstream as it may be shown: on one line, at most `characters` of it, without control characters. */
export function clean(text: string, characters: number, glyphs: Glyphs): string {
  const flat = oneLine(text, characters);
  return glyphs.ascii ? flat.replaceAll('…', glyphs.ellipsis).replaceAll(BEYOND_ASCII, '?') : flat;
}

/** A text cut to `columns`, with an ellipsis where it was. */
export function fit(text: string, columns: number, { ellipsis }: Glyphs): string {
  if (columns <= 0) return '';
  if (text.length <= columns && ASCII_ONLY.test(text)) return text;
  if (ASCII_ONLY.test(text)) return text.slice(0, columns - 1) + ellipsis;
  let result = text;
  // cli-truncate returns one column too many where the last character is wide, so it is called again for less.
  for (let width = columns; width > 0 && columnsOf(result) > columns; width -= 1) {
    result = cliTruncate(text, width, { truncationCharacter: ellipsis });
  }
  return result;
}

/** A line that is built from left to right and is never wider than its window. */
export class StyledLine {
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

/** A bar of `columns` characters for a share from 0 to 1. It is full only when the share is. */
export function bar(share: number, columns: number, { full, empty }: Glyphs): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * columns);
  return full.repeat(filled) + empty.repeat(columns - filled);
}

/** Elapsed time as a clock shows it: "0s", "45s", "2m 5s", "3h 20m". Whole units, rounded down, two at most. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return whole < 1 ? '0s' : prettyMilliseconds(whole * 1000, { unitCount: 2 });
}

/** The colours that suit a stream. chalk knows FORCE_COLOR, TERM=dumb and pipes; NO_COLOR, which it leaves out, too. */
export function coloursFor(stream: object, env: NodeJS.ProcessEnv = process.env): ChalkInstance {
  const support = 'fd' in stream && stream.fd === 2 ? supportsColorStderr : supportsColor;
  const unwanted = (env['NO_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] === undefined;
  return new Chalk({ level: unwanted || support === false ? 0 : support.level });
}

/** The characters that a frame and a summary are drawn with. */
export interface Glyphs {
  full: string;
  empty: string;
  separator: string;
  /** One column wide. */
  ellipsis: string;
  cross: string;
  times: string;
  /** Whether nothing beyond ASCII may be written. */
  ascii: boolean;
}

export const UNICODE: Glyphs = {
  full: '█',
  empty: '░',
  separator: ' · ',
  ellipsis: '…',
  cross: '✗',
  times: '×',
  ascii: false,
};

export const ASCII: Glyphs = {
  full: '#',
  empty: '.',
  separator: ', ',
  ellipsis: '~',
  cross: 'x',
  times: 'x',
  ascii: true,
};

/** ASCII where the locale is not UTF-8, and on the Linux console and dumb terminals. */
export function glyphsFor(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Glyphs {
  const term = env['TERM'];
  if (term === 'linux' || term === 'dumb') return ASCII;
  if (platform === 'win32') return env['WT_SESSION'] === undefined ? ASCII : UNICODE;
  // The first that is set and not empty decides, as for the C library.
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || 'C';
  return /utf-?8/i.test(locale) ? UNICODE : ASCII;
}

/** The window, the moment and the look of a frame. */
export interface FrameOptions {
  columns: number;
  rows: number;
  /** Milliseconds since 1970. */
  now: number;
  colour: ChalkInstance;
  glyphs: Glyphs;
}
