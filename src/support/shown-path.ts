import { isAbsolute, relative, sep } from 'node:path';

/** A path as a person in `folder` would type it: relative to it if it is below it, otherwise absolute. */
export function shownPath(folder: string, path: string): string {
  const below = relative(folder, path);
  return below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? path : below;
}
