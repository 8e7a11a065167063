/** Cuts text between its characters: never within a surrogate pair of UTF-16 or a sequence of UTF-8. */

const isHigh = (unit: number): boolean => unit >= 0xd8_00 && unit <= 0xdb_ff;
const isLow = (unit: number): boolean => unit >= 0xdc_00 && unit <= 0xdf_ff;

/** Whether a cut before this place would be in the middle of a character. */
const isWithin = (text: string, at: number): boolean =>
  at > 0 && at < text.length && isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));

/** Zero-width joiners, which have no meaning at a cut. */
const isJoiner = (unit: number): boolean => unit === 0x20_0c || unit === 0x20_0d;

/** The beginning of a text: at most `length` UTF-16 units. */
export function firstOf(text: string, length: number): string {
  if (text.length <= length) return text;
  let end = isWithin(text, length) ? length - 1 : Math.max(0, length);
  while (end > 0 && isJoiner(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** The end of a text: at most `length` UTF-16 units. */
export function lastOf(text: string, length: number): string {
  if (text.length <= length) return text;
  let from = text.length - Math.max(0, length);
  if (isWithin(text, from)) from += 1;
  while (isJoiner(text.charCodeAt(from))) from += 1;
  return text.slice(from);
}

/** `firstOf` with an ellipsis at the end where something was left out; `length` counts it. */
export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${firstOf(text, length - 1)}…`;

/** `lastOf` with an ellipsis at its beginning where something was left out; `length` counts it. */
export const endOf = (text: string, length: number): string =>
  text.length <= length ? text : `…${lastOf(text, length - 1)}`;

const CONTINUATION = 0x80;
const MOST_CONTINUED = 3;

/** The text of UTF-8 bytes that were cut at their beginning. The rest of a character there is dropped. */
export function wholeCharacters(bytes: Uint8Array): string {
  let from = 0;
  while (from < MOST_CONTINUED && ((bytes[from] ?? 0) & 0xc0) === CONTINUATION) from += 1;
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from).toString();
}

/** The number of bytes, at most `length`, after which UTF-8 can be cut without dividing a character. */
export function wholeLength(bytes: Uint8Array, length: number): number {
  let end = Math.min(bytes.length, length);
  if (end === bytes.length) return end;
  const first = Math.max(0, end - MOST_CONTINUED);
  while (end > first && ((bytes[end] ?? 0) & 0xc0) === CONTINUATION) end -= 1;
  return end;
}

const MAX_BYTES = 8_192;
const buffer = new Uint8Array(MAX_BYTES);
const encoder = new TextEncoder();

/** A text of at most 8 KiB, with a note where it was cut. No character is cut in two. */
export function cutBytes(text: string): string {
  if (text.length * 3 <= MAX_BYTES) return text;
  const { read } = encoder.encodeInto(firstOf(text, MAX_BYTES), buffer);
  return read === text.length ? text : `${text.slice(0, read)}… (cut, ${text.length} characters in all)`;
}
