/** The policy of the page forbids style attributes, and text of workstreams is never markup. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../../src/web/', import.meta.url);
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

/** What makes markup of text, code of text, or a style attribute. */
const MARKUP =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc|\beval\(|new Function|\sstyle=|setAttribute\(['"]style|javascript:/;

/** What makes a request. */
const REQUEST = /\bfetch\(|XMLHttpRequest|WebSocket|new EventSource|sendBeacon|SharedWorker|importScripts/;

test.each(sources)('$name makes no markup of text', ({ text }) => {
  expect(text.split('\n').filter((line) => MARKUP.test(line))).toEqual([]);
});

test('only the client of the dashboard asks for anything', () => {
  const asking = sources.filter(({ text }) => REQUEST.test(text)).map(({ name }) => name);
  expect(asking.toSorted()).toEqual(['dashboard/client.ts', 'dashboard/streams.ts']);
});

test('the page of a run has nothing of the dashboard', () => {
  const others = sources.filter(
    ({ name, text }) => !name.startsWith('dashboard/') && /\/dashboard\/(?!answers)/.test(text),
  );
  expect(others.map(({ name }) => name)).toEqual([]);
});

test('a link that is not one of the page is the log of a workstream', () => {
  const links = sources.flatMap(({ text }) =>
    [...text.matchAll(/href=\{([\w.]+)/g)].map(([, value = '']) => value),
  );
  const others = links.filter(
    (link) => !['hrefOf', 'hrefInRun', 'home.href', 'HOME.href', 'href', 'log'].includes(link),
  );
  expect(links.length).toBeGreaterThan(5);
  expect(others).toEqual([]);
});
