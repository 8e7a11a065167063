/** A secret is found however it was encoded, and however often. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Redactor } from '../../src/secrets/redactor.ts';

const VALUE = 'p@ss/wörd"7K1<x>&\\n\'+ z%9';
const redactor = new Redactor([
  { name: 'PASSWORD', value: VALUE },
  { name: 'AWS_KEY', value: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLE/KEY' },
  { name: 'TABBED', value: 's3cr3tvalueAA\tBBtail99' },
  { name: 'SYMBOLS', value: 'a!9$Kd@2p#x^&' },
]);
const CHINESE = '密码密码密码密码密码';

const json = (text: string): string => JSON.stringify(text);
const ascii = (text: string): string =>
  text.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const php = (text: string): string => ascii(json(text)).replaceAll('/', String.raw`\/`);
const go = (text: string): string =>
  json(text).replaceAll(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
const url = (text: string): string => encodeURIComponent(text);
const lower = (text: string): string => url(text).replaceAll(/%../g, (code) => code.toLowerCase());
const form = (text: string): string => new URLSearchParams({ q: text }).toString();
const everyByte = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const hexEscapes = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
const octal = (text: string): string =>
  text.replaceAll(/[^\w]/g, (char) =>
    [...Buffer.from(char)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );
const xml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
const decimal = (text: string): string => text.replaceAll(/[^\w]/gu, (char) => `&#${char.codePointAt(0)};`);
const hexEntities = (text: string): string =>
  text.replaceAll(/[^\w]/gu, (char) => `&#x${char.codePointAt(0)?.toString(16).padStart(4, '0')};`);
const shell = (text: string): string => text.replaceAll(/[^\w]/g, (char) => `\\${char}`);
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const python = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
const csv = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const yaml = (text: string): string => `a: ${text.replaceAll(' ', '\n    ')}`;

const ENCODINGS: Record<string, (text: string) => string> = {
  json,
  php,
  go,
  url,
  lower,
  form,
  everyByte,
  hexEscapes,
  octal,
  xml,
  decimal,
  hexEntities,
  shell,
  quoted,
  python,
  csv,
  yaml,
  inspect: (text) => inspect({ text }),
};
const names = Object.keys(ENCODINGS);
const encode = (name: string, text: string): string => ENCODINGS[name]?.(text) ?? text;

describe.each(redactor.secrets.map(({ name, value }) => [name, value] as const))('%s', (name, value) => {
  test.each(names)('as %s', (encoding) => {
    const clean = redactor.text(`before ${encode(encoding, `x=${value}.`)} after`);
    expect(clean).toContain(`[redacted: ${name}]`);
    expect(clean).toMatch(/^before .* after$/s);
  });
});

test('a value without ASCII is found as JSON and URLs have it, and in Base64', () => {
  const chinese = new Redactor([{ name: 'CHINESE', value: CHINESE }]);
  for (const text of [
    CHINESE,
    json(CHINESE),
    ascii(CHINESE),
    url(CHINESE),
    lower(CHINESE),
    Buffer.from(CHINESE).toString('base64'),
  ])
    expect(chinese.text(text)).toContain('[redacted: CHINESE]');
});

describe('one encoding in another', () => {
  test('any two of them, and JSON four times', () => {
    const once = redactor.secrets[1]?.value ?? '';
    for (const inner of names)
      for (const outer of names) {
        // Node shows each line as a text of its own.
        if (inner === 'yaml' && outer === 'inspect') continue;
        const clean = redactor.text(encode(outer, encode(inner, `"${VALUE}" ${once}`)));
        expect([inner, outer, clean]).toEqual([
          inner,
          outer,
          expect.stringContaining('[redacted: PASSWORD]'),
        ]);
        expect([inner, outer, clean]).toEqual([inner, outer, expect.stringContaining('[redacted: AWS_KEY]')]);
      }
    expect(redactor.text(json(json(json(json(VALUE)))))).toContain('[redacted: PASSWORD]');
    expect(redactor.text(url(url(url(url(VALUE)))))).toContain('[redacted: PASSWORD]');
    expect(redactor.text(xml(xml(xml(VALUE))))).toContain('[redacted: PASSWORD]');
  });

  test('what stands around it stays', () => {
    expect(redactor.text(JSON.stringify({ a: 1, p: VALUE, z: [2] }))).toBe(
      '{"a":1,"p":"[redacted: PASSWORD]","z":[2]}',
    );
    expect(redactor.text('https://host/wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCYEXAMPLE%2FKEY?x=%2F')).toBe(
      'https://host/[redacted: AWS_KEY]?x=%2F',
    );
  });
});

describe('Base64', () => {
  const long = `user:${'long '.repeat(30)}${redactor.secrets[1]?.value ?? ''}`;
  const wrapped = (width: number, end = '\n'): string =>
    Buffer.from(`${long}, and more`)
      .toString('base64')
      .replaceAll(new RegExp(`.{${width}}`, 'g'), `$&${end}`);
  test.each([
    ['at 76', wrapped(76)],
    ['at 64', wrapped(64, '\r\n')],
    ['at 60, with an indent', wrapped(60, '\n      ')],
    ['in JSON', json(wrapped(76))],
    ['with slashes as PHP writes them', wrapped(76).replaceAll('/', String.raw`\/`)],
    ['for URLs, wrapped', wrapped(64).replaceAll('+', '-').replaceAll('/', '_')],
    ['in a URL', url(wrapped(76))],
  ])('%s', (_, text) => {
    expect(redactor.text(text)).toContain('[redacted: AWS_KEY]');
  });

  test('of a value of several lines', () => {
    const value = 'k'.repeat(30) + 'Q9-'.repeat(100);
    const one = new Redactor([{ name: 'LONG', value }]);
    for (const width of [57, 64, 76]) {
      const text = Buffer.from(`ab${value}`)
        .toString('base64')
        .replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\n');
      expect(one.text(text)).toContain('[redacted: LONG]');
    }
  });
});

test('bytes of a file are found in the same forms, and none moves', () => {
  for (const encoding of names) {
    const bytes = Buffer.from(`before ${encode(encoding, VALUE)} after ${encode(encoding, CHINESE)}`);
    const clean = Buffer.from(redactor.bytes(bytes));
    expect(clean.length).toBe(bytes.length);
    expect([encoding, clean.toString()]).toEqual([
      encoding,
      expect.stringMatching(/^before.*\[redacted: PASSWORD\]/s),
    ]);
  }
});

test('the beginning of an encoded value counts where the text was cut', () => {
  const text = `key ${lower('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLE/KEY')}`;
  for (let end = 'key wJalrX'.length; end < text.length; end += 1)
    expect(redactor.cutText(text.slice(0, end))).toBe('key [redacted: AWS_KEY]');
  expect(redactor.cutText(`key ${json('s3cr3tvalueAA\tBB').slice(1, 17)}…`)).toBe('key [redacted: TABBED]…');
});

test('text that only resembles a value stays', () => {
  for (const text of [
    'wJalrXUtnFEMI',
    'https://host/wJalrXUtnFEMI%2FK7MDENG',
    String.raw`C:\new\table "quoted" 100% &amp; &#60; \u0041\u0042\u0043\u0044\u0045\u0046`,
    '%41%42%43%44%45%46%47%48',
  ])
    expect(redactor.text(text)).toBe(text);
});

test('any value in any two encodings', () => {
  // Where a backslash stands before a space, the line that YAML breaks there would mean something else.
  const flat = names.filter((name) => name !== 'yaml');
  const part = fc.string({
    minLength: 1,
    maxLength: 8,
    unit: fc.constantFrom(...Array.from('abcXYZ019_-.:/+=%&<>"\'\\ nux#;é')),
  });
  const value = fc.array(part, { minLength: 3, maxLength: 6 }).map((parts) => `Zq${parts.join('Kp7w')}Q4`);
  fc.assert(
    fc.property(value, fc.constantFrom(...flat), fc.constantFrom(...flat), (secret, inner, outer) => {
      const one = new Redactor([{ name: 'S', value: secret }]);
      const clean = one.text(`[${encode(outer, encode(inner, `(${secret})`))}]`);
      expect(clean).toContain('[redacted: S]');
      expect(one.text(clean)).toBe(clean);
    }),
    { numRuns: 500 },
  );
});

test('text of nothing but backslashes takes no time', () => {
  for (const char of ['\\', '%', '%25', '&amp;', "'", '&'])
    expect(redactor.text(`${char.repeat(200_000)}wJalrXUtnFEMI`)).toContain('wJalrXUtnFEMI');
});
