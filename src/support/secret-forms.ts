/** How a secret may look where it turns up, and how a search finds the places that are worth to be decoded. */
import { decode, folded, LONGEST_ESCAPE } from './decoded-text.ts';

/** Shorter ones would be found where they are not meant. */
const MIN_LENGTH = 8;

/** Bits of a character of Base64. */
const BITS = 6;

/** A value with everything by which it is recognised. */
export interface SecretForms {
  /** Texts that are looked for as they are. */
  exact: string[];
  /** The value in decoded and folded text; null where too little of it is left. */
  folded: string | null;
  /** What stays the same of its Base64 wherever it stands in what is encoded. */
  base64: string[];
  /** One of these stands in each form, but for those in which every character is encoded. */
  anchors: string[];
  /** Instead, for a value with few letters in a row: sources of patterns, one of which matches in each form. */
  shortAnchors: string[];
  /** Most characters that an encoded form takes. */
  reach: number;
}

export function formsOf(value: string): SecretForms {
  const inFolded = foldedValue(value);
  const base64 = inBase64(value);
  // Where the value can't be told from others once it is folded, the usual ways to write it are tried.
  const usual = inFolded === null ? [value, inJson(value), inAsciiJson(value), ...inUrl(value)] : [];
  const exact = [value, ...usual, ...base64, ...base64.map(forUrls)];
  // The one stands in encoded text, the other one in decoded text.
  const written = inFolded === null ? [] : [value, inFolded];
  const longest = Math.max(...base64.map(({ length }) => length), 0);
  return {
    exact: [...new Set(exact)].filter(({ length }) => length >= MIN_LENGTH),
    folded: inFolded,
    base64,
    anchors: [...new Set([...usual, ...written.flatMap(longRun), ...base64.flatMap(base64Anchors)])],
    shortAnchors: written.filter((text) => longRun(text).length === 0).map(shortRun),
    reach: Math.max(value.length * LONGEST_ESCAPE, longest * 2),
  };
}

/** Quotes and spaces at its ends may be those of what it stands in. */
function foldedValue(value: string): string | null {
  const text = folded(decode(value)).text.replaceAll(/^[' ]+|[' ]+$/g, '');
  return text.replaceAll(/[^!-~]/g, '').length < MIN_LENGTH - 2 || text.length < MIN_LENGTH ? null : text;
}

/** Letters and digits, which most encodings leave alone, and so many of them that few other places have them. */
const PLAIN_RUN = /[A-Za-z0-9]{4,}/g;

/** The longest run of letters and digits, where there is one. */
function longRun(value: string): string[] {
  const runs = value.match(PLAIN_RUN) ?? [];
  return runs.toSorted((one, other) => other.length - one.length).slice(0, 1);
}

/** A shorter one counts only where what follows may be the rest of the value. */
function shortRun(value: string): string {
  const runs = [...value.matchAll(/[A-Za-z0-9]+(?=.)/gs)];
  const [best] = runs.toSorted((one, other) => other[0].length - one[0].length);
  if (best === undefined) return literal(value);
  const { 0: run, index } = best;
  return `${run}(?:${literal(value.charAt(index + run.length))}|[\\\\%&+"'\\s])`;
}

/** A piece as long as this is whole in one of two lines of 64 characters or more that it is spread over. */
const PIECE = 24;
const PIECES = 5;

/** One of them is left whole where the text is wrapped. */
function base64Anchors(text: string): string[] {
  const size = Math.min(PIECE, Math.ceil(text.length / 2));
  const count = Math.min(PIECES, Math.floor(text.length / size));
  const pieces = Array.from({ length: count }, (_, index) => text.slice(index * size, (index + 1) * size));
  return pieces.flatMap((piece) => [...new Set([piece, forUrls(piece)])]);
}

const forUrls = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_');

export const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

/** As programs write JSON that keep to ASCII. */
function inAsciiJson(value: string): string {
  return inJson(value).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Programs differ in the case of the digits. */
function inUrl(value: string): string[] {
  const encoded = encodeURIComponent(Buffer.from(value).toString());
  return [encoded, encoded.replaceAll(/%../g, (code) => code.toLowerCase())];
}

/**
 * There are three ways to begin within a group of three bytes. A character at either end that holds bits of a neighbour,
 * as in `user:password`, is not in it.
 */
function inBase64(value: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const from = Math.ceil((before * 8) / BITS);
    return bytes.toString('base64').slice(from, Math.floor((bytes.length * 8) / BITS));
  });
  return forms.filter(({ length }) => length >= MIN_LENGTH);
}
