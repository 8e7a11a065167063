/** JSON files with a checksum, for what can be made again: one that is missing, damaged or of another version is no file. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { replaceFile } from '../os/replace-file.ts';

/** Null where it can't be used. */
export function readChecked<T>(path: string, schema: z.ZodType<T>): T | null {
  try {
    const text = readFileSync(path, 'utf8');
    const end = text.indexOf('\n');
    const json = text.slice(end + 1);
    return hash('sha256', json) === text.slice(0, end)
      ? (schema.safeParse(JSON.parse(json)).data ?? null)
      : null;
  } catch {
    // There is none, or it can't be read.
    return null;
  }
}

/** Replaces the file at once: a reader, and a process that is killed, find it whole. @throws the file system's error. */
export function writeChecked(path: string, value: unknown): void {
  const json = JSON.stringify(value);
  replaceFile(path, `${hash('sha256', json)}\n${json}`, { mode: 0o600, durable: false });
}
