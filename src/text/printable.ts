import { stripVTControlCharacters } from 'node:util';
import { firstOf, shortened } from './cut-text.ts';

/** Control characters but for tab and line feed, bidirectional overrides, zero-width marks, lone surrogates. */
const UNPRINTABLE =
  // biome-ignore lint: the control characters are the point
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|(?<![\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}\p{Extended_Pictographic}])|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Marks a line of output as a command for GitHub Actions or Azure Pipelines. */
const CI_COMMAND = /^(\s*):(?=:)|#(?=#(?:vso)?\[)/gm;

/**
 * Text from a workstream as it may be shown: the last state of lines that were written over, without terminal escapes,
 * and with `\u{hex}` for other characters that would be invisible or change how their neighbours are shown. Joiners
 * within words and emoji stay. No line of it is a command for a CI server.
 */
export function printable(text: string): string {
  if (isPlain(text)) return text;
  return stripVTControlCharacters(lastStates(text))
    .replaceAll('\r\n', '\n')
    .replace(UNPRINTABLE, escaped)
    .replace(CI_COMMAND, (found, space: string | undefined) =>
      space === undefined ? escaped(found) : `${space}${escaped(':')}`,
    );
}

/** Whether nothing of the text is replaced: most is, and a test for that takes a tenth of looking for each thing. */
const isPlain = (text: string): boolean => PLAIN.test(text) && !text.includes('::') && !text.includes('##');

const PLAIN = /^[\n\x20-\x7e]*$/;

const escaped = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/** Words with one space between them. */
const SIMPLE_LINE = /^(?:[!-~]+(?: [!-~]+)*)?$/;

/** `printable` on one line, cut to `width` characters with an ellipsis. */
export function oneLine(text: string, width: number): string {
  if (text.length <= width && SIMPLE_LINE.test(text) && isPlain(text)) return text;
  const flat = printable(firstOf(text, width * 8))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return shortened(flat, width);
}

/**
 * Characters that JSON allows unescaped, and on which a terminal or a reader of lines would act: C1 controls, line
 * separators, bidirectional overrides, zero-width marks, lone surrogates, and code points that are no characters.
 */
const ACTIVE =
  /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Marks a line as a command for GitHub Actions or Azure Pipelines, at any place in the line. */
const CI_COMMAND_IN_JSON = /#(?=#(?:vso)?\[)/g;

/** The same JSON with such characters escaped. They occur only inside strings, so that its value stays the same. */
export function escapeControls(json: string): string {
  const safe = isAscii(json) ? json : json.replace(ACTIVE, escapedInJson);
  return safe.includes('##') ? safe.replace(CI_COMMAND_IN_JSON, escapedInJson) : safe;
}

/** Of JSON: it has no other control characters. Told in a tenth of the time that an expression takes. */
const isAscii = (json: string): boolean =>
  Buffer.byteLength(json) === json.length && !json.includes('\u007f');

const escapedInJson = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A value as indented JSON, ended by a line feed, on which no terminal acts. No text is shortened. */
export const printableJson = (value: unknown): string =>
  `${escapeControls(JSON.stringify(value, null, 2))}\n`;

const BACK_TO_START = '\r';
/** Erases what is to the right of the cursor, or the whole line. */
// biome-ignore lint: the escape is the point
// oxlint-disable-next-line no-control-regex
const ERASES = /\u001b\[[02]?K/;

/**
 * The last state of each line, as a terminal shows it in the end where a program returned to the start of a line and wrote
 * over it, as many do to show progress.
 */
export function lastStates(text: string): string {
  if (!text.includes(BACK_TO_START)) return text;
  return text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => (line.includes(BACK_TO_START) ? lastState(line) : line))
    .join('\n');
}

/** Of an earlier state the part stays that extends beyond the later ones. */
function lastState(line: string): string {
  let shown: string[] = [];
  for (const state of line.split(BACK_TO_START).toReversed()) {
    if (state === '') continue;
    const characters = Array.from(state);
    if (shown.length < characters.length) shown = shown.concat(characters.slice(shown.length));
    if (ERASES.test(state)) break;
  }
  return shown.join('');
}
