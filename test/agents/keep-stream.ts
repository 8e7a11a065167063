/**
 * Keeps what a real agent printed for the tests that need none: `MILLRACE_RECORD=1 npm run test:agents` writes
 * test/fixtures/streams/TOOL-*.jsonl and TOOL-index.json. Paths, ids, ports and times are masked.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ended, Folders } from './agent.ts';

const streams = fileURLToPath(new URL('../fixtures/streams', import.meta.url));

/** How one recorded program ended, with what it printed to standard error; an index holds one for each name. */
export interface KeptEnd {
  exitCode: number | null;
  signal: string | null;
  stderr: string;
}

/** Lines of standard error that are kept: the stack of an error is not, nor its fields. */
const KEPT = /^(?!\s|[{}])/;

/** Writes `TOOL-NAME.jsonl` and its entry in `TOOL-index.json` when recording. */
export function keepStream(tool: string, name: string, ended: Ended, { root }: Folders): void {
  if (process.env['MILLRACE_RECORD'] !== '1') return;
  mkdirSync(streams, { recursive: true });
  const mask = masking(root);
  writeFileSync(
    join(streams, `${tool}-${name}.jsonl`),
    mask(ended.lines.map((line) => `${line}\n`).join('')),
  );
  const index = join(streams, `${tool}-index.json`);
  const all = { ...readIndex(index) };
  const stderr = ended.stderr.split('\n').filter((line) => KEPT.test(line));
  all[`${tool}-${name}`] = {
    exitCode: ended.end.exitCode,
    signal: ended.end.signal,
    stderr: mask(stderr.join('\n')),
  };
  const sorted = Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(index, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

function readIndex(file: string): Record<string, KeptEnd> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, KeptEnd>;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/** Masks what differs from machine to machine and from run to run; the same id stays the same. */
function masking(root: string): (text: string) => string {
  const ids = new Map<string, string>();
  const id =
    (prefix: string) =>
    (found: string): string => {
      const known = ids.get(found) ?? `${prefix}${ids.size + 1}`;
      ids.set(found, known);
      return known;
    };
  return (text) =>
    text
      .replaceAll(root, '/agent')
      .replaceAll(root.slice(1), 'agent')
      .replaceAll(/(?<=\b(?:ses|prt|msg|evt)_)[0-9A-Za-z]{20,}/g, id(''))
      .replaceAll(/(?<=__\w+_)\d{13}_\d+/g, id(''))
      .replaceAll(/(?<![\da-f-])[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}(?![\da-f-])/g, id('session-'))
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d[.-]\d+Z/g, '2026-01-01T00:00:00.000Z')
      .replaceAll(/\b1[789]\d{11}\b/g, '1767225600000')
      .replaceAll(/"duration_ms":\d+/g, '"duration_ms":1')
      .replaceAll(/"date":"[^"]+"/g, '"date":"Thu, 01 Jan 2026 00:00:00 GMT"')
      .replaceAll(/file:\/\/\S*node_modules/g, 'file:///node_modules');
}
