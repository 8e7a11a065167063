import { stripVTControlCharacters } from 'node:util';

/** Characters of a message that are looked at at all, so that a line of 10 MB costs what a short one does. */
const HEAD = 4000;
/** Characters of its first line that are masked. */
const LINE = 1000;
/** Characters of the pattern. */
const PATTERN = 300;

/** What tells one occurrence of an error from the next, in the order in which it is masked. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  // The host says which service failed; user, port, path and query do not.
  [/\b([a-z][a-z+]{1,11}:\/\/)(?:[^\s/@"'`]*@)?([\w.-]*)[^\s"'`<>,;)\]]*/g, '$1$2/<path>'],
  // A quoted path may hold spaces.
  [/(["'`])(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/])[^"'`]*\1/g, '$1<path>$1'],
  // Absolute, home, dotted and Windows paths, each with the line and column behind it.
  [/(?:(?<![\w.)\]<>/-])(?:~|\.{1,2})?\/[\w.@+~%=-]|\b[A-Za-z]:\\)[^\s"'`<>|,;()]*(?<![:.])/g, '<path>'],
  // A relative path is told from prose such as "and/or" by the extension of its file.
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

/** Numbers that say which error it is: exit codes, HTTP statuses, and codes such as TS2345, E0382, ORA-00942. */
const KEPT =
  /\b(?:exit code|status(?: code)?|HTTP(?:\/\d(?:\.\d)?)?) \d{1,3}\b|\b[A-Z]{1,6}\d{3,5}\b|\b[A-Z]{2,6}-\d{3,6}(?=:)/;
const NUMBER = /(?:(?<![\w.)])-)?\d+(?:[.,_]\d+)*(?:e[-+]?\d+)?/;
const KEPT_OR_NUMBER = new RegExp(`(${KEPT.source})|${NUMBER.source}`, 'g');

/**
 * An error message reduced to what its kind of error has in common: the first line that is not empty, with numbers,
 * paths, addresses, ids, times and durations masked, at most 300 characters. Names, also quoted ones, are kept.
 */
export function normalizeMessage(message: string): string {
  let line = firstLine(stripVTControlCharacters(message.slice(0, HEAD))).slice(0, LINE);
  for (const [variable, mask] of VARIABLE) line = line.replace(variable, mask);
  const masked = line.replaceAll(
    KEPT_OR_NUMBER,
    (found, kept: string | undefined) => kept ?? (found && '<n>'),
  );
  return masked.replaceAll(/\s+/g, ' ').slice(0, PATTERN).trim();
}

function firstLine(text: string): string {
  return text.trimStart().split(/[\r\n]/, 1)[0] ?? '';
}
