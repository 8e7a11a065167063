import { stripVTControlCharacters } from 'node:util';
import { firstOf } from './cut-text.ts';

/** Characters of a message that are read, so that a line of 10 MB costs no more than a short one. */
const HEAD = 4000;
/** Characters of its first line that are masked. */
const LINE = 1000;
/** Characters of the pattern. */
const PATTERN = 300;

/** What differs between two occurrences of one error, in the order in which it is masked. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  // The host says which service failed; user, port, path and query do not.
  [/\b([a-z][a-z+]{1,11}:\/\/)(?:[^\s/@"'`]*@)?([\w.-]*)[^\s"'`<>,;)\]]*/g, '$1$2/<path>'],
  // A quoted path may hold spaces.
  [/(["'`])(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/])[^"'`]*\1/g, '$1<path>$1'],
  // Absolute, home, dotted and Windows paths, each with the line and column behind it.
  [/(?:(?<![\w.)\]<>/-])(?:~|\.{1,2})?\/[\w.@+~%=-]|\b[A-Za-z]:\\)[^\s"'`<>|,;()]*(?<![:.])/g, '<path>'],
  // The extension of its file distinguishes a relative path from prose such as "and/or".
  [/(?<![\w@/.-])[\w.-]+(?:\/[\w.@+-]+)*\/[\w@+.-]+\.[A-Za-z]\w{0,5}\b(?::\d+){0,2}/g, '<path>'],
  [/\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b/gi, '<uuid>'],
  [/\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b/g, '<time>'],
  [/\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, '<time>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<address>'],
  [/\b0x[\da-f]+\b/gi, '<hex>'],
  [/\b(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{7,}\b/g, '<hex>'],
  [/\b(?=(?:[A-Za-z]*\d){3})(?=\d*[A-Za-z])[\dA-Za-z]{16,}\b/g, '<id>'],
  [/(?<![\w.-])\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|seconds?|min|minutes?|h|hours?)\b/g, '<duration>'],
];

/**
 * Numbers that identify an error: exit codes, HTTP statuses, codes such as TS2345, E0382, ORA-00942, and the place of
 * an error that has no message.
 */
const KEPT =
  /\bthrown at \S+:\d+|\b(?:exit code|status(?: code)?|HTTP(?:\/\d(?:\.\d)?)?) \d{1,3}\b|\b[A-Z]{1,6}\d{3,5}\b|\b[A-Z]{2,6}-\d{3,6}(?=:)/;
const NUMBER = /(?:(?<![\w.)])-)?\d+(?:[.,_]\d+)*(?:e[-+]?\d+)?/;
const KEPT_OR_NUMBER = new RegExp(`(${KEPT.source})|${NUMBER.source}`, 'g');

/**
 * An error message reduced to what all errors of its kind have in common: its first line with a meaning, and its causes,
 * with numbers, paths, addresses, ids, times and durations masked, at most 300 characters. Names, also quoted
 * ones, are kept.
 */
export function normalizeMessage(message: string): string {
  const { head, causes } = essenceOf(linesOf(stripVTControlCharacters(firstOf(message, HEAD))));
  const masked = [...new Set([head, ...causes].map(mask))].filter((part) => part !== '');
  return joined(masked);
}

function mask(text: string): string {
  let line = firstOf(text, LINE);
  for (const [variable, mask] of VARIABLE) line = line.replace(variable, mask);
  return line
    .replaceAll(KEPT_OR_NUMBER, (found, kept: string | undefined) => kept ?? (found && '<n>'))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const BETWEEN = ' ← ';

/** The root cause, which comes last, is always included. */
function joined(parts: readonly string[]): string {
  const whole = parts.join(BETWEEN);
  const root = parts.at(-1) ?? '';
  if (parts.length < 2 || whole.length <= PATTERN) return firstOf(whole, PATTERN).trim();
  const kept = firstOf(root, PATTERN / 2);
  const before = firstOf(parts.slice(0, -1).join(BETWEEN), PATTERN - kept.length - BETWEEN.length);
  return `${before}${BETWEEN}${kept}`.trim();
}

const linesOf = (text: string): string[] =>
  text
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');

/** The line by which a message names a cause of its error. */
const CAUSE = /^\s*Caused by: /;

/** A line that only introduces the next one, such as `Error:` or `Command failed: make`. */
const INTRODUCES =
  /(?::|^(?:\w*Error: )?Command failed(?: with [^:]*)?: .*|^(?:\w*(?:error|exception): ?)?(?:\w*(?:error|exception)|failed|failure|fatal|(?:(?:an? )?(?:unknown|unexpected|internal) )?error(?: occurred)?|something went wrong)[.!]?)$/i;
/** A line of rules, brackets and the like. */
const EMPTY = /^[^\p{L}\p{N}]*$/u;
const OPENS = /[[{(]$/;

function essenceOf(lines: readonly string[]): { head: string; causes: string[] } {
  const causes = lines.filter((line) => CAUSE.test(line)).map((line) => line.replace(CAUSE, ''));
  const rest = afterTraceback(lines.filter((line) => !CAUSE.test(line)));
  let head = '';
  for (const line of rest) {
    if (head === '' && EMPTY.test(line) && !OPENS.test(line)) continue;
    head = head === '' ? line : `${head} ${line.trimStart()}`;
    if (head.length > LINE || !isOpen(head)) break;
  }
  return { head: head === '' ? (rest[0] ?? '') : head, causes };
}

/** Whether the next line belongs to the text: it introduces that line, or has brackets that are not closed. */
function isOpen(text: string): boolean {
  if (INTRODUCES.test(text) || OPENS.test(text)) return true;
  return /[[{(] /.test(text) && depthOf(text) > 0;
}

function depthOf(text: string): number {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}()]/g)) depth += '[{('.includes(bracket) ? 1 : -1;
  return depth;
}

/** Python's messages have the error below the frames. */
function afterTraceback(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => /^(?:\w*Error: )?Traceback \(most recent call last\):$/.test(line));
  if (start === -1) return lines;
  const end = lines.findIndex((line, index) => index > start && /^\S/.test(line));
  return end === -1 ? lines : lines.slice(end);
}
