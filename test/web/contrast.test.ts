/** WCAG 2.2 AA, computed from the colours of the style sheet: 4.5 for text, 3 for what is drawn and for edges of fields. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sheet = readFileSync(new URL('../../src/web/page.css', import.meta.url), 'utf8');

type Scheme = 'light' | 'dark';
const SCHEMES: Scheme[] = ['light', 'dark'];

function colour(token: string, scheme: Scheme): string {
  const match = new RegExp(`--${token}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);`).exec(sheet);
  const found = scheme === 'light' ? match?.[1] : match?.[2];
  if (found === undefined) throw new Error(`no colour --${token} in the sheet`);
  return found;
}

/** Relative luminance of sRGB. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ['bg', 'surface', 'sunken', 'raised'];
const INKS = [
  'text',
  'text-2',
  'text-3',
  'accent',
  'done-ink',
  'fail-ink',
  'warn-ink',
  'odd-ink',
  'skip-ink',
  'run-ink',
];
const ON_TINTS: [ink: string, ground: string][] = [
  ['done-ink', 'done-tint'],
  ['fail-ink', 'fail-tint'],
  ['warn-ink', 'warn-tint'],
  ['odd-ink', 'odd-tint'],
  ['skip-ink', 'skip-tint'],
  ['run-ink', 'run-tint'],
  ['text', 'fail-tint'],
  ['text', 'warn-tint'],
  ['text', 'odd-tint'],
  ['accent', 'accent-tint'],
  ['text-2', 'accent-tint'],
  ['fail-ink', 'accent-tint'],
  ['on-fail', 'new-fill'],
  ['on-fail', 'fail-fill'],
  ['on-odd', 'odd-fill'],
  ['on-done', 'done-soft'],
];
const FILLS = [
  'done-fill',
  'fail-fill',
  'warn-fill',
  'odd-fill',
  'skip-fill',
  'run-fill',
  'control',
  'focus',
];

const pairs = [
  ...GROUNDS.flatMap((ground) => INKS.map((ink): [string, string] => [ink, ground])),
  ...ON_TINTS,
];

test.each(SCHEMES)('texts can be read on every ground, %s', (scheme) => {
  const low = pairs.filter(([ink, ground]) => contrast(colour(ink, scheme), colour(ground, scheme)) < 4.5);
  expect(low.map((pair) => pair.join(' on '))).toEqual([]);
});

test.each(SCHEMES)('what is drawn stands out from the card, %s', (scheme) => {
  const low = FILLS.filter((fill) => contrast(colour(fill, scheme), colour('surface', scheme)) < 3);
  expect(low).toEqual([]);
});
