/**
 * A run as one HTML file: the viewer of src/web with the document of the run in it. It is read from the disk and asks
 * nothing of anybody: its policy allows this script and this style alone, and no request.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { constants, deflateRawSync } from 'node:zlib';
import type { DocumentSource } from './document.ts';
import { limitsFor, pageDocument, relativeTo } from './page-document.ts';
import { reportFileName } from './write.ts';

/** Most bytes of any page. */
const MOST_BYTES = 3_000_000;

/** Bytes for the page of a small run, up to this many workstreams, and for each further one. */
const FEW = 54;
const FEW_BYTES = 300_000;
const BYTES_EACH = 270;

/** Of compression: a higher one takes more of the run's end than it saves of the disk. */
const LEVEL = 3;

/** Most characters of a document, however well they are compressed: a browser unpacks them at once. */
const MOST_CHARACTERS = 32_000_000;

/** The HTML page of a run. @param folder in which it will be, for links from it. */
export function htmlPage(source: DocumentSource, folder: string): string {
  const { runId, totals } = source.head.run;
  const most = Math.min(MOST_BYTES, FEW_BYTES + BYTES_EACH * Math.max(0, totals.workstreams - FEW));
  const room = Math.floor((most - Buffer.byteLength(htmlOf(runId, ''))) * (3 / 4)) - BASE64_END;
  for (let share = 1; ; ) {
    const limits = limitsFor(share);
    const isLast = share < LEAST_SHARE;
    const { bytes, size, pieces, isWhole } = deflated(
      pageDocument(source, relativeTo(folder), limits),
      isLast ? Number.POSITIVE_INFINITY : room,
    );
    if (isWhole) return htmlOf(runId, bytes.toString('base64'));
    const expected = (size * (Math.min(totals.workstreams, limits.rows) + 1)) / pieces;
    share *= Math.max(LARGEST_STEP, Math.min(1 / 2, room / expected));
  }
}

const BASE64_END = 3;

/** How a page shrinks that is too large: by as much as it seems to be too large. Less than the least share is nothing. */
const LARGEST_STEP = 1 / 4;
const LEAST_SHARE = 1e-5;

/** Characters that are compressed together. */
const BLOCK = 250_000;

interface Deflated {
  bytes: Buffer;
  size: number;
  /** How many pieces that took. */
  pieces: number;
  /** False where there was no room for all of them. */
  isWhole: boolean;
}

/**
 * The pieces as one stream of raw DEFLATE, block by block: of a text that is too large no more is made and compressed
 * than shows that it is. @param room in bytes.
 */
function deflated(texts: Iterable<string>, room: number): Deflated {
  const blocks: Buffer[] = [];
  let size = 0;
  let characters = 0;
  let pieces = 0;
  let text = '';
  const add = (finishFlush: number): void => {
    const block = deflateRawSync(text, { level: LEVEL, finishFlush });
    blocks.push(block);
    size += block.length;
    characters += text.length;
    text = '';
  };
  const done = (isWhole: boolean): Deflated => ({ bytes: Buffer.concat(blocks), size, pieces, isWhole });
  const isFull = (): boolean => size > room || (characters > MOST_CHARACTERS && Number.isFinite(room));
  for (const piece of texts) {
    text += piece;
    pieces += 1;
    if (text.length < BLOCK) continue;
    add(constants.Z_SYNC_FLUSH);
    if (isFull()) return done(false);
  }
  add(constants.Z_FINISH);
  return done(!isFull());
}

/** @param document compressed, as base64. */
function htmlOf(runId: string, document: string): string {
  const { script, style } = viewer();
  const title = escapeHtml(runId);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title} · Millrace</title>
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This page is drawn by a script, and scripts are off here. The same report as text: ${escapeHtml(reportFileName(runId, 'md'))}, beside this file.</noscript>
<template id="document">${document}</template>
<script>${script}</script>
</body>
</html>
`;
}

/** The page of the dashboard: its own viewer, and the policy that allows that and requests to its server alone. */
export function livePage(): { html: string; policy: string } {
  const { script, style } = dashboard();
  const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON}">
<title>Millrace</title>
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This page is drawn by a script, and scripts are off here.</noscript>
<script>${script}</script>
</body>
</html>
`;
  return { html, policy };
}

/** A wheel in water, as the page shows it. */
const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 24 24%22 fill=%22none%22 stroke=%22%230b8aa4%22 stroke-width=%222%22 stroke-linecap=%22round%22%3E%3Ccircle cx=%2212%22 cy=%229%22 r=%225.2%22/%3E%3Cpath d=%22M12 1.5v3M12 13.5v2M4.5 9h3M16.5 9h3M1.5 19c2.5-2 4.5-2 7 0s4.5 2 7 0 4.5-2 7 0%22/%3E%3C/svg%3E';

interface Viewer {
  script: string;
  style: string;
}

/** A viewer as the build made it, read once. */
function viewerOf(name: 'page' | 'dashboard'): () => Viewer {
  let loaded: Viewer | null = null;
  return () => (loaded ??= { script: readAsset(`${name}.js`), style: readAsset(`${name}.css`) });
}

const viewer = viewerOf('page');
const dashboard = viewerOf('dashboard');

/** A file of `dist/web`, wherever below `dist` the build put this code, and also when it runs as TypeScript. */
function readAsset(name: string): string {
  for (let folder = new URL('./', import.meta.url); ; folder = new URL('../', folder)) {
    for (const place of [`web/${name}`, `dist/web/${name}`]) {
      const file = new URL(place, folder);
      if (existsSync(file)) return readFileSync(file, 'utf8');
    }
    if (new URL('../', folder).href === folder.href)
      throw new Error(`web/${name} is missing: build Millrace first`);
  }
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
