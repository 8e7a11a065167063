/** Finds secrets in a text, unchanged or encoded by a program. */
import type { Secret } from '../domain/agent-message.ts';
import {
  decode,
  folded,
  foldedBase64,
  formsOf,
  literal,
  type MappedText,
  type SecretForms,
} from './secret-forms.ts';

/** The place of a secret. */
export interface Span {
  start: number;
  end: number;
  /** Of the variable. */
  name: string;
}

/** The text that replaces a secret. */
export const markOf = (name: string): string => `[redacted: ${name}]`;

/** The least number of characters by which the beginning of a secret is recognised. */
const BEGINNING = 6;

/** Several escapes in a row, by which text is recognised in which every character is encoded. */
const DENSE = /[\\%&](?:[^\s\\%&"']{1,10}[\\%&]{1,64}){5}/g;

/** Eight characters as `%41`. */
const SHORTEST_DENSE = 24;

/** A cut may have left half an escape. */
const HALF_ESCAPE = /(?:\\+(?:[uU][\da-f]{0,7}|x[\da-f]?|[0-3][0-7]?)?|%(?:25)*[\da-f]?|&[#\w]*)$/i;

/**
 * Text is searched once for parts that most forms of a secret have in common, which is cheap, and is decoded only around
 * them. Of two secrets that begin at the same place the longer one is found.
 */
export class SecretMatcher {
  /** Most characters that a secret takes; 0 without any. */
  readonly reach: number;
  readonly #names: ReadonlyMap<string, string>;
  readonly #exact: string[];
  readonly #shortest: number;
  readonly #anchors: LiteralScanner;
  readonly #shortAnchors: RegExp | null;
  readonly #all: RegExp;
  readonly #beginnings: RegExp;
  readonly #folded: TextFinder;
  readonly #base64: TextFinder;

  /**
   * @param secrets at least one.
   * @param asRead the value as it is read: bytes may be read as Latin-1.
   */
  constructor(secrets: readonly Secret[], asRead: (value: string) => string = String) {
    const all = secrets.map(({ name, value }) => ({ name, forms: formsOf(value) }));
    // Decoded text is ASCII, so that only the exact forms depend on how bytes are read.
    this.#names = namesBy(all, ({ exact }) => exact.map(asRead));
    this.#exact = longestFirst(this.#names);
    this.#shortest = Math.min(...this.#exact.map(({ length }) => length));
    this.reach = Math.max(...all.map(({ forms }) => forms.reach));
    this.#anchors = new LiteralScanner(all.flatMap(({ forms }) => forms.anchors.map(asRead)));
    const short = all.flatMap(({ forms }) => forms.shortAnchors);
    this.#shortAnchors = short.length === 0 ? null : new RegExp(short.map(asRead).join('|'), 'g');
    const exact = this.#exact.map(literal);
    // Marks match first, so that one from an earlier redaction stays, whatever name it has.
    const marks = [...new Set(secrets.map(({ name }) => literal(markOf(name))))];
    this.#all = new RegExp([...marks, ...exact].join('|'), 'g');
    const beginnings = new Set(this.#exact.map((form) => literal(form.slice(0, BEGINNING))));
    this.#beginnings = new RegExp([...beginnings].join('|'), 'g');
    this.#folded = new TextFinder(namesBy(all, (forms) => (forms.folded === null ? [] : [forms.folded])));
    this.#base64 = new TextFinder(namesBy(all, ({ base64 }) => base64));
  }

  isIn(text: string): boolean {
    return this.spans(text).length > 0;
  }

  /** In order, without overlaps. */
  spans(text: string): Span[] {
    if (text.length < this.#shortest || !this.#mayBeIn(text)) return [];
    const known: Mark[] = [];
    for (const { 0: found, index } of text.matchAll(this.#all)) {
      known.push({ start: index, end: index + found.length, name: this.#names.get(found) ?? null });
    }
    const encoded = this.#windows(text, known).flatMap((window) => this.#inWindow(text, window));
    return apart(known, encoded).filter((span): span is Span => span.name !== null);
  }

  #mayBeIn(text: string): boolean {
    return this.#hasAnchor(text) || hasDense(text);
  }

  #hasAnchor(text: string): boolean {
    return this.#anchors.search(text, 0) !== -1 || isFound(this.#shortAnchors, text);
  }

  /** What has to be decoded: around each hint that is not within a secret or a mark found already. */
  #windows(text: string, known: readonly Mark[]): Mark[] {
    const windows: Mark[] = [];
    let next = 0;
    for (let at = this.#anchors.search(text, 0); at !== -1; at = this.#anchors.search(text, at + 1)) {
      while (next < known.length && (known[next]?.end ?? 0) <= at) next += 1;
      const over = known[next];
      if (over !== undefined && over.start <= at) at = over.end - 1;
      else this.#widen(windows, at, text.length);
    }
    for (const pattern of [DENSE, this.#shortAnchors]) {
      for (const { index, 0: found } of pattern === null ? [] : text.matchAll(pattern)) {
        this.#widen(windows, index, text.length);
        this.#widen(windows, index + found.length, text.length);
      }
    }
    return joined(windows);
  }

  #widen(windows: Mark[], at: number, length: number): void {
    const start = Math.max(0, at - this.reach);
    const end = Math.min(length, at + this.reach);
    const last = windows.at(-1);
    if (last !== undefined && last.start <= start && start <= last.end) last.end = Math.max(last.end, end);
    else windows.push({ start, end, name: null });
  }

  #inWindow(text: string, { start, end }: Mark): Span[] {
    const decoded = decode(text.slice(start, end), start);
    if (!this.#hasAnchor(decoded.text)) return [];
    return [...this.#folded.spans(folded(decoded)), ...this.#base64.spans(foldedBase64(decoded))];
  }

  /** The beginning of a secret that the text ends with; null where there is none. */
  begunAtEnd(text: string): Span | null {
    return this.#exactAtEnd(text) ?? this.#encodedAtEnd(text);
  }

  #exactAtEnd(text: string): Span | null {
    const longest = this.#exact[0]?.length ?? 0;
    this.#beginnings.lastIndex = Math.max(0, text.length - longest + 1);
    for (let found = this.#beginnings.exec(text); found !== null; found = this.#beginnings.exec(text)) {
      const rest = text.slice(found.index);
      const form = this.#exact.find((each) => each.startsWith(rest));
      if (form !== undefined) {
        return { start: found.index, end: text.length, name: this.#names.get(form) ?? '' };
      }
      this.#beginnings.lastIndex = found.index + 1;
    }
    return null;
  }

  #encodedAtEnd(text: string): Span | null {
    const from = Math.max(0, text.length - this.reach);
    const decoded = decode(text.slice(from).replace(HALF_ESCAPE, ''), from);
    const begun = this.#folded.begunAtEnd(folded(decoded)) ?? this.#base64.begunAtEnd(foldedBase64(decoded));
    return begun === null ? null : { ...begun, end: text.length };
  }
}

/** A place in a text; its name is null where it is not that of a secret. */
interface Mark {
  start: number;
  end: number;
  name: string | null;
}

/** Finds several texts in decoded text. */
class TextFinder {
  readonly #names: ReadonlyMap<string, string>;
  readonly #texts: string[];
  readonly #any: RegExp | null;

  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
    this.#texts = longestFirst(names);
    this.#any = names.size === 0 ? null : new RegExp(this.#texts.map(literal).join('|'), 'g');
  }

  spans({ text, starts }: MappedText): Span[] {
    if (this.#any === null) return [];
    return [...text.matchAll(this.#any)].map(({ 0: found, index }) => ({
      start: starts[index] ?? 0,
      end: starts[index + found.length] ?? 0,
      name: this.#names.get(found) ?? '',
    }));
  }

  begunAtEnd({ text, starts }: MappedText): Span | null {
    for (const each of this.#texts) {
      for (let length = Math.min(each.length, text.length); length >= BEGINNING; length -= 1) {
        if (!text.endsWith(each.slice(0, length))) continue;
        const start = starts[text.length - length] ?? 0;
        return { start, end: starts.at(-1) ?? 0, name: this.#names.get(each) ?? '' };
      }
    }
    return null;
  }
}

/** Most text has none of these characters, and to search for one is much faster than to match a pattern. */
function hasDense(text: string): boolean {
  if (text.length < SHORTEST_DENSE) return false;
  return (text.includes('\\') || text.includes('%') || text.includes('&')) && isFound(DENSE, text);
}

/** @param pattern global; its `lastIndex` is reset. */
function isFound(pattern: RegExp | null, text: string): boolean {
  const isThere = pattern?.test(text) ?? false;
  if (pattern !== null) pattern.lastIndex = 0;
  return isThere;
}

/** In order, those that overlap or touch as one. */
function joined(windows: readonly Mark[]): Mark[] {
  const all: Mark[] = [];
  for (const window of windows.toSorted((one, other) => one.start - other.start)) {
    const last = all.at(-1);
    if (last !== undefined && window.start <= last.end) last.end = Math.max(last.end, window.end);
    else all.push({ ...window });
  }
  return all;
}

/** All in order, each without the part that an earlier one covers. */
function apart(known: readonly Mark[], others: readonly Span[]): Mark[] {
  if (others.length === 0) return [...known];
  const all = [...known, ...others].toSorted((one, other) => one.start - other.start || other.end - one.end);
  const taken: Mark[] = [];
  let end = 0;
  for (const span of all) {
    const start = Math.max(span.start, end);
    if (span.end <= start) continue;
    taken.push(start === span.start ? span : { ...span, start });
    end = span.end;
  }
  return taken;
}

type NamedForms = { name: string; forms: SecretForms };

/** Of several secrets with the same form the name of the first one is used. */
function namesBy(
  all: readonly NamedForms[],
  texts: (forms: SecretForms) => readonly string[],
): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name, forms } of all) {
    for (const text of texts(forms)) if (!names.has(text)) names.set(text, name);
  }
  return names;
}

const longestFirst = (names: ReadonlyMap<string, string>): string[] =>
  [...names.keys()].toSorted((one, other) => other.length - one.length);

const TABLE_SIZE = 4_096;

/**
 * Finds the first of many texts in another one without reading all of its characters (Wu and Manber, 1994): of each text
 * the last two characters within the length of the shortest one are in a table. Two characters that are in none of the
 * texts let the search skip as many as that length allows.
 */
export class LiteralScanner {
  readonly #length: number;
  readonly #skip = new Uint8Array(TABLE_SIZE);
  readonly #candidates = new Map<number, string[]>();

  /** @param literals none is shorter than two characters; the shorter the shortest, the slower the search. */
  constructor(literals: readonly string[]) {
    this.#length = Math.min(255, ...literals.map(({ length }) => length));
    this.#skip.fill(this.#length - 1);
    for (const literal of literals) this.#add(literal);
  }

  #add(literal: string): void {
    for (let end = 1; end < this.#length; end += 1) {
      const block = blockAt(literal, end);
      const left = this.#length - 1 - end;
      if (left < (this.#skip[block] ?? 0)) this.#skip[block] = left;
      if (left > 0) continue;
      const others = this.#candidates.get(block);
      if (others === undefined) this.#candidates.set(block, [literal]);
      else others.push(literal);
    }
  }

  /** Index of the first one at or after `from`; -1 for none. */
  search(text: string, from: number): number {
    const last = this.#length - 1;
    for (let end = from + last; end < text.length; ) {
      const block = blockAt(text, end);
      const skip = this.#skip[block] ?? 0;
      if (skip > 0) {
        end += skip;
        continue;
      }
      if (this.#isAt(text, end - last, block)) return end - last;
      end += 1;
    }
    return -1;
  }

  #isAt(text: string, start: number, block: number): boolean {
    return (this.#candidates.get(block) ?? []).some((literal) => text.startsWith(literal, start));
  }
}

const blockAt = (text: string, end: number): number =>
  ((text.charCodeAt(end - 1) << 5) ^ text.charCodeAt(end)) & (TABLE_SIZE - 1);
