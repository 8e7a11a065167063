/** How a secret may look where it turns up: as it is, and as programs write it inside something else. */

/** Shorter ones would be found where they are not meant. */
const MIN_LENGTH = 8;

/** Bits of a character of Base64. */
const BITS = 6;

/** All ways to write a value that are known here, each once, none shorter than 8 characters. */
export function formsOf(value: string): string[] {
  const quoted = [inJson(value), inAsciiJson(value), ...inQuotes(value), inXml(value)];
  return [...new Set([value, ...quoted, ...inUrl(value), ...inBase64(value)])].filter(
    ({ length }) => length >= MIN_LENGTH,
  );
}

const inJson = (value: string): string => JSON.stringify(value).slice(1, -1);

/** As programs write JSON that keep to ASCII. */
function inAsciiJson(value: string): string {
  return inJson(value).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** As JavaScript and Python show it, and as a shell does. */
function inQuotes(value: string): string[] {
  const escaped = value.replaceAll('\\', String.raw`\\`);
  const inShell = value.replaceAll("'", String.raw`'\''`);
  return [escaped, escaped.replaceAll("'", String.raw`\'`), inShell];
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const inXml = (value: string): string => value.replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char);

/** Programs differ in which characters they encode, and in the case of the digits. */
function inUrl(value: string): string[] {
  const encoded = encodeURIComponent(Buffer.from(value).toString());
  const strict = encoded.replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const forms = [encoded, strict, strict.replaceAll('%2F', '/'), strict.replaceAll('%20', '+')];
  return [...forms, ...forms.map((form) => form.replaceAll(/%../g, (code) => code.toLowerCase()))];
}

/**
 * What stays the same of its Base64 wherever it stands in what is encoded, as in `user:password`: there are three ways
 * to begin within a group of three bytes. A character at either end that holds bits of a neighbour is not in it.
 */
function inBase64(value: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const from = Math.ceil((before * 8) / BITS);
    return bytes.toString('base64').slice(from, Math.floor((bytes.length * 8) / BITS));
  });
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
