/** JSON files with a checksum, for what can be made again: one that is missing, damaged or of another version is no file. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { packageVersion } from '../os/package-version.ts';
import { replaceFile } from '../os/replace-file.ts';

/**
 * Null where it can't be used. What this version of Millrace wrote is as it was written where its checksum is right: to
 * check its shape too takes longer than all else. What another version wrote has to have the shape.
 */
export function readChecked<T>(path: string, schema: z.ZodType<T>): T | null {
  try {
    const text = readFileSync(path, 'utf8');
    const end = text.indexOf('\n');
    const [checksum, version] = text.slice(0, end).split(' ');
    const json = text.slice(end + 1);
    if (hash('sha256', json) !== checksum) return null;
    const value: T = JSON.parse(json);
    return version === VERSION ? value : (schema.safeParse(value).data ?? null);
  } catch {
    // There is none, or it can't be read.
    return null;
  }
}

const VERSION = packageVersion();

/** Replaces the file at once: a reader, and a process that is killed, find it whole. @throws the file system's error. */
export function writeChecked(path: string, value: unknown): void {
  const json = JSON.stringify(value);
  replaceFile(path, `${hash('sha256', json)} ${VERSION}\n${json}`, { mode: 0o600, durable: false });
}
