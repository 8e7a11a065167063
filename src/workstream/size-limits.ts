/** Scans a file before it is parsed, so that it can't exhaust the stack or the memory. */
import { visit } from 'jsonc-parser';
import type { Json } from '../domain/json.ts';
import type { JsonPath, Place } from './locate.ts';

/** Deepest nesting of objects and arrays. Well below what recursive code can take. */
export const MAX_DEPTH = 500;

/** Most values that are parsed at once, counted as opening brackets and commas: of a file, or of an element. */
export const MAX_VALUES = 5_000_000;

const QUOTE = 0x22;
const STAR = 0x2a;
const COMMA = 0x2c;
const COLON = 0x3a;
const SLASH = 0x2f;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface Extent {
  /** Where the text goes beyond what is parsed; null when it does not. */
  beyond: { offset: number; message: string } | null;
  /** Number of keys, repeated ones included. */
  keys: number;
}

/** Reads text as JSON with comments: one pass, no allocation, and no assumption that it is well formed. */
export function extentOf(text: string): Extent {
  let depth = 0;
  let values = 0;
  let keys = 0;
  const beyond = (offset: number, message: string): Extent => ({ beyond: { offset, message }, keys });
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case SLASH:
        i = endOfComment(text, i);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        values++;
        if (++depth > MAX_DEPTH) return beyond(i, `it is nested more than ${MAX_DEPTH} levels deep`);
        break;
      case COLON:
        keys++;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        if (depth > 0) depth--;
        break;
      case COMMA:
        if (++values > MAX_VALUES)
          return beyond(i, `it holds more than ${MAX_VALUES} values; split it into several files`);
        break;
    }
  }
  return { beyond: null, keys };
}

/** Index of the closing quote, or of the last character before the line ends. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) return i;
    if (char === BACKSLASH) i++;
    else if (char === LINE_FEED || char === CARRIAGE_RETURN) return i;
  }
  return text.length;
}

/** Index of the comment's last character; `start` when none begins there. */
function endOfComment(text: string, start: number): number {
  const next = text.charCodeAt(start + 1);
  if (next === STAR) {
    const end = text.indexOf('*/', start + 2);
    return end === -1 ? text.length : end + 1;
  }
  if (next !== SLASH) return start;
  for (let i = start + 2; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === LINE_FEED || char === CARRIAGE_RETURN) return i;
  }
  return text.length;
}

// Keys that occur more than once in one object: JSON uses the last one and drops the others silently.

export interface RepeatedKey {
  /** Of the key. */
  path: JsonPath;
  /** Its places, at least two. */
  offsets: number[];
}

/** Most that are looked for in a file. */
const MAX_KEYS = 1000;

/** The repeated keys of text that was parsed. Only where there are any is the text read as JSON again. */
export function repeatedKeys(text: string, { value, keys }: { value: Json; keys: number }): RepeatedKey[] {
  return countKeys(value) === keys ? [] : findRepeatedKeys(text);
}

/** Number of keys, those of all levels together. */
export function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) count += countKeys(element);
    return count;
  }
  for (const key of Object.keys(value)) count += 1 + countKeys(value[key] ?? null);
  return count;
}

function findRepeatedKeys(text: string): RepeatedKey[] {
  const objects: Map<string, number[]>[] = [];
  const repeated: RepeatedKey[] = [];
  visit(
    text,
    {
      onObjectBegin: () => void objects.push(new Map()),
      onObjectEnd: () => void objects.pop(),
      onObjectProperty: (name, offset, _length, _line, _column, pathOfObject) => {
        const offsets = objects.at(-1)?.get(name);
        if (offsets === undefined) {
          objects.at(-1)?.set(name, [offset]);
          return;
        }
        offsets.push(offset);
        if (offsets.length === 2 && repeated.length < MAX_KEYS)
          repeated.push({ path: [...pathOfObject(), name], offsets });
      },
    },
    { allowTrailingComma: true },
  );
  return repeated;
}

/** Most places that one message names. */
const MAX_PLACES = 5;

/** @param others its places but the last. */
export function repeatedMessage(others: readonly Place[]): string {
  const named = others.slice(0, MAX_PLACES).map(({ line, column }) => `${line}:${column}`);
  const more = others.length > named.length ? ` and ${others.length - named.length} more` : '';
  return `this key is given ${others.length === 1 ? 'twice' : `${others.length + 1} times`}, also at ${named.join(', ')}${more}; keep one of them`;
}
