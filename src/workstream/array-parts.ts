/** Divides a large file into parts that are parsed one after the other, so that its values are never in memory at once. */
import { isUtf8 } from 'node:buffer';
import type { Json } from '../domain/json.ts';
import { countKeys, MAX_DEPTH, MAX_VALUES } from './size-limits.ts';

/** Whole elements of an array, from the byte at `start` up to that at `end`, without the commas around them. */
export interface ArrayPart {
  start: number;
  end: number;
  /** Number of elements. */
  count: number;
  /** Number of keys in them, repeated ones included. */
  keys: number;
}

/** A file with more bytes is read in parts, where its form allows that. */
export const WHOLE_BYTES = 1024 * 1024;

/** Size of a part from which the next one begins: what is parsed of it is collected before it is old. */
const PART_BYTES = 256 * 1024;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * The parts of an array of objects in UTF-8, in order. Null for anything else, and for what has comments or trailing
 * commas or goes beyond a limit: that has to be parsed as a whole. Inside an element may be anything.
 */
export function arrayParts(bytes: Buffer, partBytes = PART_BYTES): ArrayPart[] | null {
  if (!isUtf8(bytes)) return null;
  const scanner = new Scanner(bytes);
  if (!scanner.pass(OPEN_BRACKET)) return null;
  const parts: ArrayPart[] = [];
  let part: ArrayPart | null = null;
  do {
    const { at: start, keys } = scanner;
    if (!scanner.passObject()) return null;
    part ??= { start, end: start, count: 0, keys: 0 };
    part.end = scanner.at;
    part.count += 1;
    part.keys += scanner.keys - keys;
    if (part.end - part.start < partBytes) continue;
    parts.push(part);
    part = null;
  } while (scanner.pass(COMMA));
  if (part !== null) parts.push(part);
  return scanner.pass(CLOSE_BRACKET) && scanner.at === bytes.length ? parts : null;
}

/** The elements of a part; null where they are no JSON, and where a key is repeated. */
export function parsePart(bytes: Buffer, { start, end, keys }: ArrayPart): Json[] | null {
  try {
    const elements: Json[] = JSON.parse(`[${bytes.toString('utf8', start, end)}]`);
    return countKeys(elements) === keys ? elements : null;
  } catch {
    // Parsing the file as a whole tells what is wrong, and where.
    return null;
  }
}

/** Goes over the bytes without knowing more of JSON than strings and brackets. */
class Scanner {
  /** The next byte that is no space. */
  at = 0;
  /** Number of keys so far. */
  keys = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    if (bytes.indexOf(BYTE_ORDER_MARK) === 0) this.at = BYTE_ORDER_MARK.length;
    this.#passSpaces();
  }

  /** Passes this byte and what is empty behind it. Returns whether it is there. */
  pass(byte: number): boolean {
    if (this.#bytes[this.at] !== byte) return false;
    this.at += 1;
    this.#passSpaces();
    return true;
  }

  /** Passes an object and what is empty behind it. Returns whether there is one that keeps to the limits. */
  passObject(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.at] !== OPEN_BRACE) return false;
    // The array around it is the first level.
    let depth = 1;
    let values = 0;
    for (let i = this.at; i < bytes.length; i++) {
      switch (bytes[i] ?? 0) {
        case QUOTE:
          i = endOfString(bytes, i);
          break;
        case COLON:
          this.keys += 1;
          break;
        case COMMA:
          if (++values > MAX_VALUES) return false;
          break;
        case OPEN_BRACKET:
        case OPEN_BRACE:
          if (++depth > MAX_DEPTH) return false;
          break;
        case CLOSE_BRACKET:
        case CLOSE_BRACE:
          if (--depth > 1) break;
          this.at = i + 1;
          this.#passSpaces();
          return true;
        case SLASH:
          return false;
      }
    }
    return false;
  }

  #passSpaces(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte !== LINE_FEED && byte !== SPACE && byte !== TAB && byte !== CARRIAGE_RETURN) return;
      this.at += 1;
    }
  }
}

/** Index of the closing quote; the length where there is none. */
function endOfString(bytes: Buffer, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) i++;
  }
  return bytes.length;
}
