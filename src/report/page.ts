/**
 * A run as one HTML file: the viewer of src/web with the document of the run in it. It is read from the disk and asks
 * nothing of anybody: its policy allows this script and this style alone, and no request.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { DocumentSource } from './document.ts';
import { limitsFor, pageDocument } from './page-document.ts';
import { reportFileName } from './write.ts';

/** Most bytes of any page. */
const MOST_BYTES = 3_000_000;

/** Bytes for the page of a small run, up to this many workstreams, and for each further one. */
const FEW = 54;
const FEW_BYTES = 300_000;
const BYTES_EACH = 270;

/** The HTML page of a run. @param folder in which it will be, for links from it. */
export function htmlPage(source: DocumentSource, folder: string): string {
  const { runId, totals } = source.head.run;
  const most = Math.min(MOST_BYTES, FEW_BYTES + BYTES_EACH * Math.max(0, totals.workstreams - FEW));
  for (let share = 1; ; ) {
    const page = htmlOf(runId, JSON.stringify(pageDocument(source, folder, limitsFor(share))));
    const size = Buffer.byteLength(page);
    if (size <= most || share < LEAST_SHARE) return page;
    share *= Math.max(LARGEST_STEP, Math.min(1 / 2, most / size));
  }
}

/** How a page shrinks that is too large: at once by as much as it is too large. Less than the least share is nothing. */
const LARGEST_STEP = 1 / 16;
const LEAST_SHARE = 1e-5;

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
<template id="document">${gzipSync(document, { level: 3 }).toString('base64')}</template>
<script>${script}</script>
</body>
</html>
`;
}

/** The viewer as the build made it, read once. */
let loaded: { script: string; style: string } | null = null;
const viewer = (): { script: string; style: string } =>
  (loaded ??= { script: readAsset('page.js'), style: readAsset('page.css') });

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
