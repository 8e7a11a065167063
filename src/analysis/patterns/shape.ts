/**
 * The shape of one message: its words, with `<*>` for what differs from one occurrence of the error to the next, as far
 * as one message alone can tell. A message costs one scan of at most 1,000 characters, whatever it holds.
 */
import { stripVTControlCharacters } from 'node:util';
import { firstOf } from '../../text/cut-text.ts';
import { HEAD, lineThatTells } from './message-line.ts';

/** Stands for what differs between messages. */
export const HOLE = '<*>';

/** Words of a shape. */
const WORDS = 64;

/** The shape of a message, on one line; empty for a message without letters and digits. */
export function shapeOf(message: string): string {
  return collapsed(maskedWords(withoutDumps(withoutQuotes(essenceOf(message)))));
}

/** What a shape is made of: the line of a message that tells, without terminal escapes, not masked. */
export function essenceOf(message: string): string {
  const head = firstOf(message, HEAD);
  return lineThatTells(ESCAPE.test(head) ? stripVTControlCharacters(head) : head);
}

// biome-ignore lint: the control characters are the point
// oxlint-disable-next-line no-control-regex
const ESCAPE = /[\u001b\u009b]/;

// ── Quoted text ──

const CLOSING: ReadonlyMap<string, string> = new Map([
  ["'", "'"],
  ['"', '"'],
  ['`', "`'"],
  ['‘', '’'],
  ['“', '”'],
]);

/** Longest quotation. */
const QUOTED = 400;

const isWordCharacter = (character: string): boolean => /\w/.test(character);

/** Quoted text becomes a hole; three plain words or more are a message of their own and only lose their quotes. */
function withoutQuotes(line: string): string {
  if (!/['"`‘“]/.test(line)) return line;
  let result = '';
  let from = 0;
  for (let at = 0; at < line.length; at += 1) {
    const mark = line.charAt(at);
    const closing = CLOSING.get(mark);
    if (closing === undefined || (at > 0 && isWordCharacter(line.charAt(at - 1)))) continue;
    const end = endOfQuotation(line, at + 1, closing);
    if (end === -1) continue;
    const before = line.slice(from, at);
    const text = line.slice(at + 1, end);
    result += before + (isState(text, before) ? text : unquoted(text, mark === '`'));
    from = end + 1;
    at = end;
  }
  return result + line.slice(from);
}

/** Where a quotation ends: at a mark behind which no word goes on, such as in "can't". -1 where it does not. */
function endOfQuotation(line: string, from: number, closing: string): number {
  const last = Math.min(line.length, from + QUOTED);
  for (let at = from; at < last; at += 1) {
    if (closing.includes(line.charAt(at)) && !isWordCharacter(line.charAt(at + 1))) return at;
  }
  return -1;
}

/** The name of a state, which is one of few: it says what happened, like a word that is not quoted. */
const isState = (text: string, before: string): boolean =>
  /^[A-Za-z]+(?:[_-][A-Za-z]+)*$/.test(text) &&
  /(?:^|[^A-Za-z])(?:state|status|phase|mode)(?: is| was|:|=)? ?$/i.test(before.slice(-12));

function unquoted(text: string, isCode: boolean): string {
  const method = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /.exec(text)?.[0];
  if (method !== undefined) return method + HOLE;
  return !isCode && isProse(text) ? text : HOLE;
}

const PROSE_WORDS = 3;

function isProse(text: string): boolean {
  let plain = 0;
  for (const word of text.split(' ')) {
    if (/^[A-Za-z][a-z]*(?:'[a-z]+)?[,.:;!?]?$/.test(word)) plain += 1;
    else if (/[/\\{}<>=]/.test(word)) return false;
  }
  return plain >= PROSE_WORDS;
}

/**
 * An object or an array as programs print it, with spaces inside its brackets, becomes a hole. One that begins with a
 * `name=value` does not: which names there are says what was printed.
 */
function withoutDumps(line: string): string {
  let result = '';
  let from = 0;
  for (let start = nextDump(line, 0); start !== -1; start = nextDump(line, from)) {
    const end = endOfBrackets(line, start);
    if (end === -1) break;
    result +=
      line.slice(from, start) +
      (NAMED_FIELD.test(line.slice(start, start + FIELD)) ? line.slice(start, end + 1) : HOLE);
    from = end + 1;
  }
  return result + line.slice(from);
}

/** The first field of an object that is printed as `{ name=value … }`. */
const NAMED_FIELD = /^\{ [A-Za-z_][\w.-]*=/;
/** Characters in which it has to begin. */
const FIELD = 60;

const DUMP = /(?<![^\s(])[[{] /g;

function nextDump(line: string, from: number): number {
  DUMP.lastIndex = from;
  return DUMP.exec(line)?.index ?? -1;
}

function endOfBrackets(line: string, start: number): number {
  let depth = 0;
  for (let at = start; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

// ── Words ──

function maskedWords(line: string): string[] {
  const words: string[] = [];
  for (const word of line.split(/\s+/)) {
    if (word === '') continue;
    if (words.length === WORDS) break;
    words.push(isTelling(word, words) ? word : maskOf(word));
  }
  return words;
}

/** A number that says which error it is: an exit code, a status, a signal, errno; or the place of one without a message. */
function isTelling(word: string, before: readonly string[]): boolean {
  const last = before.at(-1);
  if (last === 'at') return before.at(-2) === 'thrown';
  if (last === undefined || !/^[([]?-?\d{1,5}\b(?![.:]\d)/.test(word)) return false;
  if (/(?:^|[^A-Za-z])(?:status|http(?:\/<\*>)?|errno|signal)$/i.test(last)) return true;
  if (/(?:^|[^A-Za-z])error:$/i.test(last)) return /^[45]\d\d\b/.test(word);
  return /^code:?$/i.test(last) && /(?:exit|status|error|response)$/i.test(before.at(-2) ?? '');
}

/** Masks of words that were seen before, emptied when it is full: words repeat, and their number does not end. */
const masks = new Map<string, string>();
const REMEMBERED = 10_000;
const LONGEST_REMEMBERED = 60;
/** Longer ones with digits hardly come again. */
const LONGEST_NUMBER = 4;

function maskOf(word: string): string {
  const { length } = word;
  if (length > LONGEST_REMEMBERED || (length > LONGEST_NUMBER && /\d/.test(word))) return maskWord(word);
  let mask = masks.get(word);
  if (mask === undefined) {
    if (masks.size >= REMEMBERED) masks.clear();
    masks.set(word, (mask = maskWord(word)));
  }
  return mask;
}

const OPENING = '([{"\'`';
const ENDING = ')]}>,.;:!?"\'`…';

function maskWord(word: string): string {
  if (/^[A-Za-z]+[,.;:!?]?$/.test(word) && !LITERAL.test(word)) return word;
  let from = 0;
  while (from < word.length && OPENING.includes(word.charAt(from))) from += 1;
  if (/^[<>]\D/.test(word.slice(from, from + 2)) && !word.startsWith(HOLE, from)) from += 1;
  let to = word.length;
  if (!word.endsWith(HOLE))
    while (to > from && ENDING.includes(word.charAt(to - 1)) && !word.startsWith(HOLE, to - HOLE.length))
      to -= 1;
  return word.slice(0, from) + maskCore(word.slice(from, to)) + word.slice(to);
}

/** What a whole word can be. None of these can be matched in more than one way. */
const VALUES: readonly RegExp[] = [
  // A number with its unit, or what is less or more than it.
  /^[<>~+-]{0,2}\.?\d[\w.,%+-]*$/,
  // A URL; the address of a person or a repository.
  /^[A-Za-z][A-Za-z\d+.-]*:\/\//,
  /^[\w.+-]+@\w/,
  // A path: absolute, of the home folder, relative, of Windows.
  /^(?:~|\.{1,2})?\/[^/]/,
  /^[A-Za-z]:[\\/]/,
  /^\\\\/,
  // A host with its port, an address of IPv6, a time.
  /^(?:localhost|[a-z\d-]+\.[a-z\d.-]+):\d{1,5}$/,
  /^\d{1,3}:\d\d$/,
  /^[\da-fA-F]{0,4}:[\da-fA-F]{0,4}:[\da-fA-F:]*[\d.,]*$/,
  // Base64.
  /^[\w+/-]+={1,2}$/,
];

function maskCore(core: string): string {
  if (core === '') return core;
  for (const value of VALUES) if (value.test(core)) return HOLE;
  return core.replaceAll(/[^=:,;|()[\]{}"'`#<>]+|<\*>/g, (part) => (part === HOLE ? part : maskPart(part)));
}

const LITERAL = /^(?:null|None|nil)(?![\w-])/;

/** A name or a code of an error, which tells errors apart whatever digits it has. */
const ERROR_NAME =
  /^(?:[\w.$]*(?:Error|Exception|Warning)|[a-z][a-z_]*_error|E[A-Z]{3,}\d?[A-Z]*|ERR_[A-Z\d_]+|SIG[A-Z\d]+|[A-Z]{1,6}-?\d{3,6})$/;

/** Whether a word is the name or the code of an error. */
export const isErrorName = (word: string): boolean => ERROR_NAME.test(word);

/** A protocol whose version is a part of its name. */
const VERSIONED = /^IPv[46]$/i;

/** A path without a slash before it: its extension or digits distinguish it from prose such as "and/or". */
const RELATIVE_PATH = /^[\w@.*+-]+\/(?:[^/]*\/|[^/]*\.[A-Za-z*]|[^/]*\d|$)/;
const HEX =
  /^(?:0[xX][\da-fA-F]+|(?=[a-fA-F]*\d)[\da-fA-F]{7,}|[\da-fA-F]{8}|[\da-fA-F]{16}|[\da-fA-F]{32}|[\da-fA-F]{40})$/;
const UUID = /^[\da-fA-F]{8}-[\da-fA-F]{4}-/;
/** A host or a package: two dots, and no constant behind them, which distinguishes messages. */
const DOTTED = /^[A-Za-z_$][\w$-]*\.[\w$-]+\.(?!(?:[\w$-]+\.)?[A-Z][A-Z\d_]{2,}$)[\w$.-]+$/;
/** The name of a file of which there are many. */
const NUMBERED_FILE = /^[\w@+-][\w.@+-]*\.[a-z]{1,7}$/;
/** A secret of which the middle was replaced. */
const STARRED = /\w\*{3}|\*{3}\w/;

function maskPart(part: string): string {
  if (LITERAL.test(part)) return part.replace(LITERAL, HOLE);
  if (isErrorName(part) || VERSIONED.test(part)) return part;
  if (/^[@+-]{0,2}\.?\d/.test(part) || HEX.test(part) || UUID.test(part)) return HOLE;
  if (RELATIVE_PATH.test(part) || /^(?:~|\.{1,2})?\/[^/]/.test(part) || part.includes('\\')) return HOLE;
  if (DOTTED.test(part) || STARRED.test(part)) return HOLE;
  if (!/\d/.test(part)) return part;
  if (NUMBERED_FILE.test(part) || isRandom(part)) return HOLE;
  return part.replaceAll(/\d+/g, HOLE);
}

/** A long word of letters and digits, such as a token. */
const isRandom = (part: string): boolean =>
  part.length >= 16 && /^[\w-]+$/.test(part) && part.replaceAll(/\D/g, '').length >= 3;

// ── What belongs together ──

const DAY = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?$/;
const MONTH = /^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)$/;
const UNIT = /^(?:[KMGT]?i?B|[munµ]?s|secs?|seconds?|min|minutes?|h|hours?|MHz|GHz)(?=[,.;:)\]]*$)/;

/** Holes beside each other are a list of values, however many it has. */
const LIST = /<\*>(?:(?:[,;:/-]|\.{2,3}|,? (?:and|or|,))? ?<\*>)+/g;
/** A bracket of its own around nothing or around values. */
const BRACKETS = /(?<![^\s:,;=(])(?:\[ ?(?:<\*>)? ?\]|\{ ?(?:<\*>)? ?\}|(?<=[:,=] )\(<\*>\))/g;
/** In brackets behind other text, nothing or values: it adds to what the text says. */
const ASIDE = / \((?:<\*>)?\)(?=[ ,.;:]|$)/g;

function collapsed(words: string[]): string {
  const text = withUnits(words).join(' ');
  if (!text.includes(HOLE) && !text.includes('()')) return withoutFullStop(text);
  const short = text
    .replaceAll(LIST, HOLE)
    .replaceAll(BRACKETS, HOLE)
    .replaceAll(ASIDE, '')
    .replaceAll(LIST, HOLE);
  return withoutFullStop(withoutRepetitions(short.split(' ')).join(' '));
}

const withoutFullStop = (text: string): string =>
  text.endsWith('.') && !text.endsWith('..') ? text.slice(0, -1) : text;

/** Days, months and units that belong to a number are part of its hole. */
function withUnits(words: string[]): string[] {
  if (!words.some((word) => UNIT.test(word) || DAY.test(word) || MONTH.test(word))) return words;
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = joined.at(-1) ?? '';
    const next = words[index + 1] ?? '';
    const isBeforeNumber = next.startsWith(HOLE);
    if (before.endsWith(HOLE) && UNIT.test(word)) joined[joined.length - 1] = before + word.replace(UNIT, '');
    else if (MONTH.test(word) && isBeforeNumber) joined.push(HOLE);
    else if (DAY.test(word) && (isBeforeNumber || MONTH.test(next))) joined.push(HOLE);
    else joined.push(word);
  }
  return joined;
}

/** Most words that come again and again as one. */
const PERIOD = 4;

function withoutRepetitions(words: string[]): string[] {
  let kept = words;
  for (let period = 1; period <= PERIOD; period += 1) {
    const once: string[] = [];
    for (let at = 0; at < kept.length; at += 1) {
      if (isRepeated(once, kept, at, period)) at += period - 1;
      else once.push(kept[at] ?? '');
    }
    kept = once;
  }
  return kept;
}

/** Whether the last `period` words come again at once, with a hole among them. */
function isRepeated(
  before: readonly string[],
  words: readonly string[],
  at: number,
  period: number,
): boolean {
  if (before.length < period || at + period > words.length) return false;
  let hasHole = false;
  for (let index = 0; index < period; index += 1) {
    const word = words[at + index] ?? '';
    if (before[before.length - period + index] !== word) return false;
    hasHole ||= word.includes(HOLE);
  }
  return hasHole;
}
