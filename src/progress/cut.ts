import { firstOf } from '../support/cut-text.ts';

const MAX_BYTES = 8_192;
const buffer = new Uint8Array(MAX_BYTES);
const encoder = new TextEncoder();

/** A text of at most 8 KiB, with a note where it was cut. No character is cut in two. */
export function cut(text: string): string {
  if (text.length * 3 <= MAX_BYTES) return text;
  const { read } = encoder.encodeInto(firstOf(text, MAX_BYTES), buffer);
  return read === text.length ? text : `${text.slice(0, read)}… (cut, ${text.length} characters in all)`;
}
