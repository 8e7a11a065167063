/** The policy of the page forbids style attributes, and text of workstreams is never markup. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../../src/web/', import.meta.url);
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

/** What makes markup of text, code of text, a request, or a style attribute. */
const FORBIDDEN =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc|\beval\(|new Function|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\sstyle=|setAttribute\(['"]style|javascript:/;

test.each(sources)('$name makes no markup of text and asks for nothing', ({ text }) => {
  expect(text.split('\n').filter((line) => FORBIDDEN.test(line))).toEqual([]);
});

test('a link that is not one of the page is the log of a workstream', () => {
  const links = sources.flatMap(({ text }) =>
    [...text.matchAll(/href=\{([\w.]+)/g)].map(([, value = '']) => value),
  );
  const others = links.filter(
    (link) => !['hrefOf', 'need.startsWith', 'workstream.log', 'log'].includes(link),
  );
  expect(links.length).toBeGreaterThan(5);
  expect(others).toEqual([]);
});
