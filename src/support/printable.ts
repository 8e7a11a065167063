import { stripVTControlCharacters } from 'node:util';
import { firstOf, shortened } from './cut-text.ts';

/** Control characters but for tab and line feed, bidirectional overrides, zero-width marks, lone surrogates. */
const UNPRINTABLE =
  // biome-ignore lint: the control characters are the point
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/**
 * Text from a workstream as it may be shown: terminal escapes are removed, other characters that would be invisible
 * or would change how their neighbours are shown become `\u{hex}`. Carriage returns at line ends are dropped.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replace(UNPRINTABLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** `printable` on one line, cut to `width` characters with an ellipsis. */
export function oneLine(text: string, width: number): string {
  const flat = printable(firstOf(text, width * 8))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return shortened(flat, width);
}
