/** The forms in which programs print a secret, and how a search finds the places that have to be decoded. */

/** Shorter forms would occur in text where they are no secret. */
const MIN_LENGTH = 8;

/** Bits of a character of Base64. */
const BITS = 6;

/** A value with everything by which it is recognised. */
export interface SecretForms {
  /** Texts that are searched for without decoding. */
  exact: string[];
  /** The value as it is in decoded and folded text; null where too little of it is left. */
  folded: string | null;
  /** The characters of its Base64 that do not depend on what surrounds it, for each of its three alignments. */
  base64: string[];
  /** Each form has one of these in it, except for forms in which every character is encoded. */
  anchors: string[];
  /** Instead, for a value with few letters in a row: sources of patterns, one of which matches in each form. */
  shortAnchors: string[];
  /** Most characters that an encoded form takes. */
  reach: number;
}

export function formsOf(value: string): SecretForms {
  const inFolded = foldedValue(value);
  const base64 = inBase64(value);
  // Where folding leaves too little to recognise the value by, the usual ways to write it are searched for instead.
  const usual = inFolded === null ? [value, inJson(value), inAsciiJson(value), ...inUrl(value)] : [];
  const exact = [value, ...usual, ...base64, ...base64.map(forUrls)];
  // The first occurs in encoded text, the second in decoded text.
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

/** Without quotes and spaces at its ends, which can't be distinguished from those around it. */
function foldedValue(value: string): string | null {
  const text = folded(decode(value)).text.replaceAll(/^[' ]+|[' ]+$/g, '');
  return text.replaceAll(/[^!-~]/g, '').length < MIN_LENGTH - 2 || text.length < MIN_LENGTH ? null : text;
}

/** Letters and digits, which most encodings do not change, and enough of them to be rare elsewhere. */
const PLAIN_RUN = /[A-Za-z0-9]{4,}/g;

/** The longest run of letters and digits, where there is one. */
function longRun(value: string): string[] {
  const runs = value.match(PLAIN_RUN) ?? [];
  return runs.toSorted((one, other) => other.length - one.length).slice(0, 1);
}

/** A shorter run counts only where the next character may be the rest of the value. */
function shortRun(value: string): string {
  const runs = [...value.matchAll(/[A-Za-z0-9]+(?=.)/gs)];
  const [best] = runs.toSorted((one, other) => other[0].length - one[0].length);
  if (best === undefined) return literal(value);
  const { 0: run, index } = best;
  return `${run}(?:${literal(value.charAt(index + run.length))}|[\\\\%&+"'\\s])`;
}

/** Of two adjacent pieces of this length, one is within a line where the text is wrapped at 64 characters or more. */
const PIECE = 24;
const PIECES = 5;

/** One of these stays whole where the text is wrapped. */
function base64Anchors(text: string): string[] {
  const size = Math.min(PIECE, Math.ceil(text.length / 2));
  const count = Math.min(PIECES, Math.floor(text.length / size));
  const pieces = Array.from({ length: count }, (_, index) => text.slice(index * size, (index + 1) * size));
  return pieces.flatMap((piece) => [...new Set([piece, forUrls(piece)])]);
}

const forUrls = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_');

export const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);

const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

/** As programs write JSON in ASCII. */
function inAsciiJson(value: string): string {
  return inJson(value).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** In both cases of the hexadecimal digits. */
function inUrl(value: string): string[] {
  const encoded = encodeURIComponent(Buffer.from(value).toString());
  return [encoded, encoded.replaceAll(/%../g, (code) => code.toLowerCase())];
}

/**
 * One for each position within a group of three bytes. A character at either end that has bits of a neighbour, as in
 * `user:password`, is left out.
 */
function inBase64(value: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const from = Math.ceil((before * 8) / BITS);
    return bytes.toString('base64').slice(from, Math.floor((bytes.length * 8) / BITS));
  });
  return forms.filter(({ length }) => length >= MIN_LENGTH);
}

/**
 * A text with the index in the original at which each of its characters begins, and that of its end.
 *
 * `decode` and `folded` undo what programs do to a text that they embed in JSON, URLs, XML, shell quotes, CSV or YAML, also
 * in one within another. Two texts with the same meaning become equal, whatever program wrote them.
 */
export interface MappedText {
  text: string;
  starts: Int32Array;
}

/** How many encodings within one another are undone. */
const MOST_LAYERS = 8;

/** Length of the longest escape of one character, such as `&amp;amp;#x0002f;`. */
const LONGEST_ESCAPE = 16;

/**
 * A run of backslashes counts as one, because each layer of JSON doubles them; `%2525` and `&amp;amp;` likewise. The
 * bounds keep the time for a text of backslashes linear.
 */
const BACKSLASHES = String.raw`\\{1,64}`;
const PERCENT = '%(?:25){0,8}';
const AMPERSAND = '&(?:amp;|#0*38;|#x0*26;){0,8}';

const HEX = '[0-9a-fA-F]';

/** The escape of a character, or of nothing: a backslash before a line end or any other character. */
const ESCAPE = new RegExp(
  [
    String.raw`${BACKSLASHES}(?:u\{${HEX}{1,8}\}|u${HEX}{4}|U${HEX}{8}|x${HEX}{2}|[0-3][0-7]{2}|[nrtbfv]|\r?\n[ \t]*|)`,
    String.raw`|${PERCENT}${HEX}{2}|${AMPERSAND}(?:#\d{1,9}|#[xX]${HEX}{1,8}|[a-zA-Z]{2,8});`,
  ].join(''),
  'g',
);

/** Without one of these nothing can be encoded. */
const INTRODUCER = /[\\%&]/;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  gt: '>',
  lt: '<',
  nbsp: ' ',
  quot: '"',
};

/** Replaces all characters beyond ASCII, which programs write as bytes, units, codes or names. */
const BEYOND_ASCII = '\u0080';

function meaningOf(escape: string): string {
  if (escape.startsWith('%')) return character(escape.slice(-2), 16);
  return escape.startsWith('&') ? entityMeaning(escape) : backslashMeaning(escape);
}

function entityMeaning(escape: string): string {
  // `&amp;` before it means that the `&` was encoded again.
  const name = escape.slice(Math.max(escape.lastIndexOf(';', escape.length - 2), 0) + 1, -1).toLowerCase();
  if (name.startsWith('#x')) return character(name.slice(2), 16);
  if (name.startsWith('#')) return character(name.slice(1), 10);
  return ENTITIES[name] ?? BEYOND_ASCII;
}

function backslashMeaning(escape: string): string {
  const at = escape.lastIndexOf('\\') + 1;
  const kind = escape.charAt(at);
  if (kind === 'x' || kind === 'u' || kind === 'U')
    return character(escape.slice(at + 1).replaceAll(/[{}]/g, ''), 16);
  if (kind >= '0' && kind <= '3') return character(escape.slice(at), 8);
  return /[nrtbfv]/.test(kind) ? ' ' : '';
}

function character(digits: string, radix: number): string {
  const code = Number.parseInt(digits, radix);
  return code < 0x80 ? String.fromCharCode(code) : BEYOND_ASCII;
}

/** Decodes until nothing is left to decode. @param offset index of the text in the original. */
export function decode(text: string, offset = 0): MappedText {
  const starts = new Int32Array(text.length + 1);
  for (let at = 0; at < starts.length; at += 1) starts[at] = offset + at;
  let mapped: MappedText = { text, starts };
  for (let layer = 0; layer < MOST_LAYERS && INTRODUCER.test(mapped.text); layer += 1) {
    const next = replaced(mapped, ESCAPE, meaningOf);
    if (next.text === mapped.text) break;
    mapped = next;
  }
  return mapped;
}

// biome-ignore lint: control characters are written as space is
// oxlint-disable-next-line no-control-regex
const FOLD = /['"]+|[\u0000- +]+|[\u007f-\uffff]+/g;

/**
 * Replaces what programs write in different ways by one character: a space may be `+`, or a line end with an indent, and a
 * quote may be doubled, or another kind of quote.
 */
export const folded = (decoded: MappedText): MappedText =>
  replaced(decoded, FOLD, (found) => {
    const [first = ''] = found;
    if (first === "'" || first === '"') return "'";
    return first <= ' ' || first === '+' ? ' ' : BEYOND_ASCII;
  });

const NOT_BASE64 = /\s+|[-_]/g;

/** Joins wrapped lines, and replaces the URL-safe alphabet of Base64 by the standard one. */
export const foldedBase64 = (decoded: MappedText): MappedText =>
  replaced(decoded, NOT_BASE64, (found) => {
    if (found === '-') return '+';
    return found === '_' ? '/' : '';
  });

/** @param meaning no longer than what was found. */
function replaced(mapped: MappedText, pattern: RegExp, meaning: (found: string) => string): MappedText {
  const { text, starts } = mapped;
  const places = new Int32Array(starts.length);
  const parts: string[] = [];
  let length = 0;
  let from = 0;
  const keep = (to: number): void => {
    parts.push(text.slice(from, to));
    places.set(starts.subarray(from, to), length);
    length += to - from;
  };
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    keep(found.index);
    from = found.index + found[0].length;
    const means = meaning(found[0]);
    if (means === '') continue;
    parts.push(means);
    places[length] = starts[found.index] ?? 0;
    length += 1;
  }
  if (from === 0) return mapped;
  keep(text.length + 1);
  return { text: parts.join(''), starts: places.subarray(0, length) };
}
