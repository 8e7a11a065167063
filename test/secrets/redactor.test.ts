import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markOver, Redactor } from '../../src/secrets/redactor.ts';
import { NO_SECRETS } from '../kit/no-secrets.ts';

const VALUE = 'p@ss/w"ö\\rd&<1>';
const redactor = new Redactor([
  { name: 'TOKEN', value: 'abcdefghij' },
  { name: 'PASSWORD', value: VALUE },
]);

test('a value is replaced by the name of its variable, wherever it stands', () => {
  expect(redactor.text('abcdefghij')).toBe('[redacted: TOKEN]');
  expect(redactor.text('a=abcdefghij, b=abcdefghijabcdefghij!')).toBe(
    'a=[redacted: TOKEN], b=[redacted: TOKEN][redacted: TOKEN]!',
  );
  expect(redactor.text('abcdefghi')).toBe('abcdefghi');
});

const base64 = (before: string): string => Buffer.from(`${before}${VALUE}`).toString('base64');

test.each([
  ['as it is', VALUE],
  ['in JSON', JSON.stringify({ a: VALUE })],
  ['in JSON of ASCII', String.raw`{"a": "p@ss/w\"\u00f6\\rd&<1>"}`],
  ['in XML', 'p@ss/w&quot;ö\\rd&amp;&lt;1&gt;'],
  ['in a URL', `https://host/?q=${encodeURIComponent(VALUE)}`],
  ['in a URL with small digits', 'p%40ss%2fw%22%c3%b6%5crd%26%3c1%3e'],
  ['in a path of a URL', 'p%40ss/w%22%C3%B6%5Crd%26%3C1%3E'],
  ['as Node shows it', inspect({ a: VALUE })],
  ['in Base64', base64('')],
  ['in Base64, after one byte', base64('a')],
  ['in Base64, after two bytes', base64('ab')],
  ['in Base64, after a name', base64('user:')],
  ['in Base64 for URLs', Buffer.from(VALUE).toString('base64url')],
])('%s', (_, text) => {
  expect(redactor.text(text)).toContain('[redacted: PASSWORD]');
});

test('the password of basic authorization can not be read out of what is left', () => {
  const header = redactor.text(`Authorization: Basic ${base64('user:')}`);
  const left = Buffer.from(header.replace(/.*Basic /, ''), 'base64').toString('utf8');
  expect(left).not.toContain(VALUE.slice(1, -1));
});

test('a number of more digits than it can hold is redacted, and JSON stays JSON', () => {
  const digits = new Redactor([{ name: 'A "B"_KEY', value: '12345678901234567890' }]);
  const clean = digits.json('{"n":12345678901234567890}');
  expect(clean).not.toContain('1234567890');
  expect(JSON.parse(clean)).toContain('[redacted: A__B__KEY]');
  expect(JSON.parse(digits.text('{"n":"12345678901234567890"}'))).toEqual({ n: '[redacted: A__B__KEY]' });
});

test('a value is one secret, however many variables have it', () => {
  const same = ['A', 'B', 'C'].map((name) => ({ name, value: VALUE }));
  expect(new Redactor(same).secrets).toEqual([{ name: 'A', value: VALUE }]);
});

test('of two that begin at the same place the longer is taken', () => {
  const both = new Redactor([
    { name: 'SHORT_KEY', value: '12345678' },
    { name: 'LONG_KEY', value: '1234567890' },
  ]);
  expect(both.text('12345678 1234567890')).toBe('[redacted: SHORT_KEY] [redacted: LONG_KEY]');
});

test('what is redacted stays as it is, also where a value looks like a mark or a name', () => {
  const odd = new Redactor([
    { name: 'A_TOKEN', value: 'redacted' },
    { name: 'B_TOKEN', value: 'A_TOKEN]' },
    { name: 'A_KEY] x', value: 'B_TOKEN!' },
  ]);
  const once = odd.text('redacted A_TOKEN] B_TOKEN!');
  expect(once).toBe('[redacted: A_TOKEN] [redacted: B_TOKEN] [redacted: A_KEY__x]');
  expect(odd.text(once)).toBe(once);
  // Only what is ours is taken for a mark.
  expect(redactor.text('[redacted: abcdefghij]')).toBe('[redacted: [redacted: TOKEN]]');
});

test('the beginning of a value counts where the text was cut', () => {
  expect(redactor.text('it is abcdefgh')).toBe('it is abcdefgh');
  expect(redactor.cutText('it is abcdefgh')).toBe('it is [redacted: TOKEN]');
  expect(redactor.cutText('it is abcde')).toBe('it is abcde');
  expect(redactor.cutText('it is abcdefg…')).toBe('it is [redacted: TOKEN]…');
  expect(redactor.fields(['is abcdefg…', 'is abcdefg'])).toEqual(['is [redacted: TOKEN]…', 'is abcdefg']);
  expect(redactor.cutText('abcdefghij abcdefghi')).toBe('[redacted: TOKEN] [redacted: TOKEN]');
});

test('JSON stays JSON, and its keys are redacted too', () => {
  const digits = new Redactor([{ name: 'PIN_KEY', value: '123456789' }]);
  expect(JSON.parse(digits.json('{"123456789":[123456789,"a123456789"],"b":1}'))).toEqual({
    '[redacted: PIN_KEY]': ['[redacted: PIN_KEY]', 'a[redacted: PIN_KEY]'],
    b: 1,
  });
  expect(digits.json('{ "b": 1 }')).toBe('{ "b": 1 }');
  expect(digits.json('{ 123456789')).toBe('{ [redacted: PIN_KEY]');
});

test('of a record only the texts are redacted, and one without a secret is the same', () => {
  const record = { id: 1, list: [{ abcdefghij: 'abcdefghij' }], none: null };
  expect(redactor.fields(record)).toEqual({ id: 1, list: [{ abcdefghij: '[redacted: TOKEN]' }], none: null });
  expect(redactor.data(record).list).toEqual([{ '[redacted: TOKEN]': '[redacted: TOKEN]' }]);
  const harmless = { a: ['b'] };
  expect(redactor.fields(harmless)).toBe(harmless);
  expect(NO_SECRETS.fields(record)).toBe(record);
});

test('a mark over a value has its length', () => {
  const over = (length: number): string => markOver({ start: 3, end: 3 + length, name: 'A_KEY' });
  expect(over(20)).toBe('[redacted: A_KEY]***');
  expect(over(9)).toBe('*********');
});

test('no value is left in any text, and redacting again changes nothing', () => {
  const secret = fc.string({ minLength: 8, maxLength: 12, unit: fc.constantFrom('a', 'b', '"', '\\', 'é') });
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), fc.array(secret), (values, rest) => {
      const any = new Redactor(values.map((value, index) => ({ name: `S${index}`, value })));
      const clean = any.text([...rest, ...values, ...rest].join('a'));
      for (const value of values) expect(clean).not.toContain(value);
      expect(any.text(clean)).toBe(clean);
      const json = any.json(JSON.stringify({ [values[0] ?? '']: values }));
      for (const value of values) expect(JSON.stringify(JSON.parse(json))).not.toContain(value);
    }),
  );
});
