/** The line of a message that says what went wrong, without what only leads to it. */
import { firstOf } from '../../text/cut-text.ts';

/** Characters of a message that are read, so that one of 10 MB costs no more than a short one. */
export const HEAD = 4000;
/** Characters of a line that count. */
const LINE = 1000;

/** Between an error and the cause that it names. */
const BETWEEN = ' ← ';

/** The line of an error's message that tells, with its root cause behind it. Its text is not masked. */
export function lineThatTells(text: string): string {
  const lines = linesOf(text);
  const causes = lines.filter((line) => CAUSE.test(line)).map((line) => line.replace(CAUSE, ''));
  const rest = afterTraceback(lines.filter((line) => !CAUSE.test(line)));
  const head = firstSentence(withoutLead(atWord(fromJson(headOf(rest)), LINE)));
  const root = causes.at(-1);
  if (root === undefined) return atWord(head, LINE);
  return `${atWord(head, LINE / 2)}${BETWEEN}${atWord(firstSentence(withoutLead(root)), LINE / 2)}`;
}

/** The same line as it was written, without its cause, at most 1,000 characters. */
export const headOfMessage = (text: string): string => atWord(headOf(linesOf(firstOf(text, HEAD))), LINE);

/** At most so many characters, cut before a word. */
function atWord(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = firstOf(text, length);
  const space = cut.lastIndexOf(' ');
  return space <= 0 ? cut : cut.slice(0, space);
}

// ── Lines ──

function linesOf(text: string): string[] {
  const whole = withRealBreaks(text);
  if (!whole.includes('\n') && !whole.includes('\r')) return whole === '' ? [] : [whole.trimEnd()];
  return whole
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

/** Writes line breaks for `\\n`, as in a text within another, but not in a path of Windows. */
function withRealBreaks(text: string): string {
  if (!text.includes('\\n')) return text;
  return text.replaceAll(/\S+/g, (word) =>
    /^\W{0,3}[A-Za-z]:\\|^\\\\/.test(word) ? word : word.replaceAll('\\n', '\n').replaceAll('\n\\t', '\n'),
  );
}

/** The line by which a message names a cause of its error. */
const CAUSE = /^\s{0,20}Caused by: /;

/** A line that only introduces the next one, such as `Error:` or `Command failed: make`. */
const INTRODUCES =
  /(?::|^(?:\w*Error: )?Command failed(?: with [^:]*)?: .*|^(?:\w*(?:error|exception): ?)?(?:\w*(?:error|exception)|failed|failure|fatal|(?:(?:an? )?(?:unknown|unexpected|internal) )?error(?: occurred)?|something went wrong)[.!]?)$/i;
/** A line of rules, brackets and the like. */
const EMPTY = /^[^\p{L}\p{N}]*$/u;
const OPENS = /[[{(]$/;

function headOf(lines: readonly string[]): string {
  let head = '';
  for (const line of lines) {
    if (head === '' && EMPTY.test(line) && !OPENS.test(line)) continue;
    head = head === '' ? line.trimStart() : `${head} ${line.trimStart()}`;
    if (head.length > LINE || !isOpen(head)) break;
  }
  return head;
}

/** Whether the next line belongs to the text: it introduces that line, or has brackets that are not closed. */
function isOpen(text: string): boolean {
  if (INTRODUCES.test(text) || OPENS.test(text)) return true;
  return /[[{(] /.test(text) && depthOf(text) > 0;
}

function depthOf(text: string): number {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{' || character === '(') depth += 1;
    else if (character === ']' || character === '}' || character === ')') depth -= 1;
  }
  return depth;
}

/** Python's messages have the error below the frames. */
function afterTraceback(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => /^(?:\w*Error: )?Traceback \(most recent call last\):$/.test(line));
  if (start === -1) return lines;
  const end = lines.findIndex((line, index) => index > start && /^\S/.test(line));
  return end === -1 ? lines : lines.slice(end);
}

// ── What is in front of an error ──

/** A file, with line and column in the notation of compilers. */
const PLACE =
  /^(?:(?:(?:[A-Za-z]:)?(?=[^\s:'"`()]*[./\\])[^\s:'"`()]+|<\w+>[\w.]*)(?:\(\d+(?:,\d+)?\)|(?::\d+){1,3})(?::| -)|(?:[A-Za-z]:)?(?=[^\s:'"`()]*[/\\])[^\s:'"`()]+:|[\w.-]+\.[a-z][a-z\d]{0,3}:|\d+:\d+:?) +/;
/** What only says that an error follows. */
const WRAPPER =
  /^(?:(?:Uncaught|Unhandled) (?:\(in promise\) )?|(?:Error|ERROR|error): (?=\S)|[a-z][a-z-]*: (?=Error\b))/;
const LEADS = 4;

function withoutLead(line: string): string {
  // Programs that call themselves, such as make, number their levels.
  let rest = line.trim().replace(/^([a-z][\w-]*)\[\d+\]:/, '$1:');
  for (let lead = 0; lead < LEADS; lead += 1) {
    const found = PLACE.exec(rest) ?? WRAPPER.exec(rest);
    if (found === null || found[0].length >= rest.length) return rest;
    rest = rest.slice(found[0].length);
  }
  return rest;
}

// ── Sentences ──

const SENTENCE_WORDS = 4;

/** The first sentence, where it has four words or more: what follows explains or advises. */
function firstSentence(text: string): string {
  for (let at = text.indexOf('. '); at !== -1; at = text.indexOf('. ', at + 1)) {
    const isEnd =
      /[\p{L}\d)"'`\]*]/u.test(text.charAt(at - 1)) &&
      text.charAt(at - 2) !== ' ' &&
      /[\p{Lu}]/u.test(text.charAt(at + 2));
    if (isEnd && wordsBefore(text, at) >= SENTENCE_WORDS) return text.slice(0, at + 1);
  }
  return text;
}

function wordsBefore(text: string, end: number): number {
  let words = 1;
  for (
    let at = text.indexOf(' ');
    at !== -1 && at < end && words < SENTENCE_WORDS;
    at = text.indexOf(' ', at + 1)
  )
    words += 1;
  return words;
}

// ── JSON ──

/** Fields that tell what happened, in the order in which they are told. */
const FIELDS = ['type', 'code', 'name', 'status', 'reason', 'message'];

/** JSON in a message, such as the answer of a service, becomes its type, code and message. */
function fromJson(line: string): string {
  const start = line.search(/[{[]\s?[{"]/);
  if (start === -1) return line;
  const end = Math.max(line.lastIndexOf('}'), line.lastIndexOf(']')) + 1;
  const told = end > start ? fieldsOf(parsed(line.slice(start, end))) : [];
  return told.length === 0 ? line : `${line.slice(0, start)}${told.join(' ')}${line.slice(end)}`;
}

/** Undefined for what only looks like JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const MOST_NESTED = 5;

/** What the innermost object with a message or a code says. */
function fieldsOf(value: unknown, depth = 0): string[] {
  const object: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof object !== 'object' || object === null || depth > MOST_NESTED) return [];
  const fields = new Map<string, unknown>(Object.entries(object));
  for (const name of ['error', 'detail']) {
    const inner = fields.get(name);
    if (typeof inner === 'string' && name === 'error') return [inner];
    const told = fieldsOf(inner, depth + 1);
    if (told.length > 0) return told;
  }
  if (!fields.has('message') && !fields.has('code')) return [];
  return FIELDS.flatMap((name) => {
    const field = fields.get(name);
    if (typeof field !== 'string' && typeof field !== 'number') return [];
    return [name === 'message' ? String(field) : `${name} ${field}`];
  });
}
