import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing, with `mode`. Returns the first that was made; undefined where it was
 * there.
 * @throws the file system's error. On a file system that can't be written Node says ENOENT; this says EROFS.
 */
export function makeFolder(path: string, mode = 0o777): string | undefined {
  try {
    return mkdirSync(path, { recursive: true, mode });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    mkdirSync(firstMissing(path), { mode });
    return mkdirSync(path, { recursive: true, mode });
  }
}

function firstMissing(path: string): string {
  const above = dirname(path);
  return above === path || existsSync(above) ? path : firstMissing(above);
}
