import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/**
 * Absolute path of the file that would be run for `name`: on `path` (as in PATH, where an empty part is the folder),
 * or below `folder` when it is a path itself. Null where there is none that this user may run.
 */
export function findProgram(name: string, folder: string, path: string): string | null {
  const places = name.includes('/') ? [''] : path.split(delimiter);
  return places.map((place) => resolve(folder, place, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for this user: either way it can't be run.
    return false;
  }
}
