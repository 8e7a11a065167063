/** Finds the events of a tool in what it prints: one JSON object a line, where nothing comes between. */
import { relative } from 'node:path';
import type { JsonObject } from '../../src/domain/json.ts';
import { oneLine } from '../../src/text/printable.ts';
import { jsonLine, textAt, withoutControls } from './json-line.ts';

/** How many lines may come between the two parts of a line that was broken up. */
const MAX_BETWEEN = 50;
/** Bounds the work on a line with many beginnings of objects and no whole one. */
const MAX_PLACES = 30;

/**
 * Passes on each event in a stream of lines. An event is also found where terminal sequences, a byte order mark or
 * control characters are around or in it, where words or other events share its line, and where another event was
 * printed into the middle of it, with or without a line end. An object that is a part of an event is never passed on.
 */
export class EventStream {
  readonly #onEvent: (event: JsonObject) => void;
  /** The beginning of an incomplete event; empty for none. */
  #beginning = '';
  #linesSince = 0;

  constructor(onEvent: (event: JsonObject) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes the next line, without its end. Throws only what `onEvent` throws. */
  take(line: string): void {
    const event = jsonLine(line) ?? this.#joined(line);
    if (event === null) this.#search(withoutControls(line));
    else this.#onEvent(event);
  }

  /** The event that began on an earlier line and ends with this one. */
  #joined(line: string): JsonObject | null {
    if (this.#beginning === '') return null;
    const event = eventOf(this.#beginning + line);
    this.#linesSince += 1;
    if (event !== null || this.#linesSince > MAX_BETWEEN) this.#beginning = '';
    return event;
  }

  #search(line: string): void {
    let text = line;
    for (let from = startOfObject(text, 0); from !== -1; from = startOfObject(text, from)) {
      const end = endOfObject(text, from);
      const event = end === null ? null : eventOf(text.slice(from, end));
      if (event !== null && end !== null && !goesOn(text, end)) {
        this.#onEvent(event);
        from = end;
        continue;
      }
      const inner = eventInside(text, from);
      if (inner === null) return this.#remember(text.slice(from));
      this.#onEvent(inner.event);
      text = text.slice(0, inner.start) + text.slice(inner.end);
    }
  }

  #remember(beginning: string): void {
    this.#beginning = beginning;
    this.#linesSince = 0;
  }
}

/** The text as an event; every event of every tool names its type. */
function eventOf(text: string): JsonObject | null {
  const object = jsonLine(text);
  return object !== null && textAt(object, 'type') !== null ? object : null;
}

/** Where the next object may begin; -1 for nowhere. */
function startOfObject(text: string, from: number): number {
  const found = text.slice(from).search(/\{\s*(?:["{]|$)/);
  return found === -1 ? -1 : from + found;
}

/** Where the object that begins at `from` ends; null where it does not. */
function endOfObject(text: string, from: number): number | null {
  let depth = 0;
  let isString = false;
  for (let index = from; index < text.length; index += 1) {
    const char = text[index];
    if (isString && char === '\\') index += 1;
    else if (char === '"') isString = !isString;
    else if (!isString && char === '{') depth += 1;
    else if (!isString && char === '}') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return null;
}

/** Whether what ends here is a part of something else, as in the second half of an event that was broken up. */
const goesOn = (text: string, end: number): boolean =>
  /^\s*(?:[\]}]|,\s*["{])/.test(text.slice(end, end + 20));

/** An event in the middle of another one. */
interface InnerEvent {
  event: JsonObject;
  start: number;
  end: number;
}

/**
 * The first event that was printed into the object that begins at `from`, at a place where that can have no object.
 * Null for none.
 */
function eventInside(text: string, from: number): InnerEvent | null {
  let places = 0;
  for (const { start, after } of misplacedObjects(text, from)) {
    const end = endOfObject(text, start);
    const event = end === null ? null : eventOf(text.slice(start, end));
    // After an object in a list both this one and that one may be the one that does not belong there.
    const isUnclear = after === '}' && end !== null && goesOn(text, end);
    if (event !== null && end !== null && !isUnclear) return { event, start, end };
    places += 1;
    if (places === MAX_PLACES) break;
  }
  return null;
}

/** Where an object begins in a string of another one (`after` is empty then), or in place of a comma or the like. */
function* misplacedObjects(text: string, from: number): Generator<{ start: number; after: string }> {
  let isString = false;
  let after = '';
  for (let index = from; index < text.length; index += 1) {
    const char = text[index] ?? '';
    const begins = char === '{' && text[index + 1] === '"' && index > from;
    if (begins && (isString || !':[,'.includes(after))) yield { start: index, after: isString ? '' : after };
    // JSON has no escape for a brace: the other object was printed behind the backslash of an escape.
    if (isString && char === '\\' && text[index + 1] !== '{') index += 1;
    else if (char === '"') isString = !isString;
    if (char.trim() !== '') after = char;
  }
}

// What a tool is doing now, in a few words for the live progress.

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

  /** Takes the beginning of what the tool wrote. Empty text is no activity. */
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
