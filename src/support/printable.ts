import { stripVTControlCharacters } from 'node:util';
import { firstOf, shortened } from './cut-text.ts';
import { lastStates } from './line-states.ts';

/** Control characters but for tab and line feed, bidirectional overrides, zero-width marks, lone surrogates. */
const UNPRINTABLE =
  // biome-ignore lint: the control characters are the point
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|(?<![\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}\p{Extended_Pictographic}])|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** By which a line of output tells GitHub Actions or Azure Pipelines to do something. */
const CI_COMMAND = /^(\s*):(?=:)|#(?=#(?:vso)?\[)/gm;

/**
 * Text from a workstream as it may be shown: of lines that were written over the last state, terminal escapes removed,
 * other characters that would be invisible or would change how their neighbours are shown as `\u{hex}`. Joiners within
 * words and emoji stay. No line of it is a command for a CI server.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(lastStates(text))
    .replaceAll('\r\n', '\n')
    .replace(UNPRINTABLE, escaped)
    .replace(CI_COMMAND, (found, space: string | undefined) =>
      space === undefined ? escaped(found) : `${space}${escaped(':')}`,
    );
}

const escaped = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/** `printable` on one line, cut to `width` characters with an ellipsis. */
export function oneLine(text: string, width: number): string {
  const flat = printable(firstOf(text, width * 8))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return shortened(flat, width);
}
