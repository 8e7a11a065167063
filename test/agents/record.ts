/**
 * Keeps what a real agent printed for the tests that need none: `MILLRACE_RECORD=1 npm run test:agents` writes
 * test/fixtures/streams. Paths, ids, ports and times are masked.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ended, Folders } from './agent.ts';

const streams = fileURLToPath(new URL('../fixtures/streams', import.meta.url));

/** How one recorded program ended; index.json holds one for each name. */
export interface RecordedEnd {
  exitCode: number | null;
  signal: string | null;
  stderr: string;
}

/** Writes `NAME.jsonl` and its line in index.json when recording; `more` are other files of the run by extension. */
export function record(
  name: string,
  ended: Ended,
  folders: Folders,
  more: Record<string, string> = {},
): void {
  if (process.env['MILLRACE_RECORD'] !== '1') return;
  mkdirSync(streams, { recursive: true });
  const mask = masking(folders);
  writeFileSync(join(streams, `${name}.jsonl`), mask(ended.lines.map((line) => `${line}\n`).join('')));
  for (const [extension, text] of Object.entries(more)) {
    writeFileSync(join(streams, `${name}.${extension}`), mask(text));
  }
  const index = join(streams, 'index.json');
  const all: Record<string, RecordedEnd> = existsSync(index)
    ? (JSON.parse(readFileSync(index, 'utf8')) as Record<string, RecordedEnd>)
    : {};
  const { exitCode, signal } = ended.end;
  all[name] = { exitCode, signal, stderr: mask(ended.stderr) };
  const sorted = Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(index, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

/** Masks what differs from machine to machine and from run to run; the same id stays the same. */
function masking(folders: Folders): (text: string) => string {
  const ids = new Map<string, string>();
  const id = (found: string): string => {
    const known = ids.get(found) ?? `00000000-0000-4000-8000-${String(ids.size + 1).padStart(12, '0')}`;
    ids.set(found, known);
    return known;
  };
  return (text) =>
    text
      .replaceAll(folders.root, '/agent')
      .replaceAll(folders.root.replaceAll(/[^A-Za-z0-9]/g, '-'), '-agent')
      .replaceAll(/\/tmp\/cc-socks\/\d+/g, '/agent/socket')
      .replaceAll(/(?<![\da-f-])[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}(?![\da-f-])/g, id)
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '2026-01-01T00:00:00.000Z');
}
