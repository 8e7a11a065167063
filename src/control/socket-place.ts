/** Where the socket of a run is: in a folder of its own that only this user may enter. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isTemporaryFolder, makeTemporaryFolder } from '../os/temporary-folders.ts';

/** The path of a Unix socket, or the name of a pipe on Windows. */
export interface ControlPlace {
  path: string;
}

/** Longer paths are cut by Node 20 without a word, and macOS has 104 bytes for them. */
const MOST_BYTES_OF_PATH = 100;

const NAME = 'control';

/**
 * Makes a folder for a socket under the first of these that exists and is short enough: `$XDG_RUNTIME_DIR`, the
 * temporary folder, `/tmp`. Null where there is none.
 */
export function makeControlPlace(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): ControlPlace | null {
  if (platform === 'win32') return { path: `\\\\.\\pipe\\millrace-${randomUUID()}` };
  for (const parent of [environment['XDG_RUNTIME_DIR'], tmpdir(), '/tmp']) {
    const place = parent?.startsWith('/') === true ? placeIn(parent) : null;
    if (place !== null) return place;
  }
  return null;
}

function placeIn(parent: string): ControlPlace | null {
  // The name of the folder has a length that is known once it was made.
  if (Buffer.byteLength(parent) > MOST_BYTES_OF_PATH - NAME.length) return null;
  let folder: string;
  try {
    folder = makeTemporaryFolder('run', parent);
  } catch {
    // It does not exist, is full, or belongs to someone else.
    return null;
  }
  const path = join(folder, NAME);
  if (Buffer.byteLength(path) <= MOST_BYTES_OF_PATH) return { path };
  rmSync(folder, { recursive: true, force: true });
  return null;
}

/**
 * Removes the socket of a run that has ended, with its folder. Nothing where the path, which may come from a database
 * that others wrote, is no such one.
 */
export function removeControlPlace(path: string): void {
  const folder = dirname(path);
  if (basename(path) !== NAME || !isTemporaryFolder(folder, 'run')) return;
  rmSync(folder, { recursive: true, force: true });
}
