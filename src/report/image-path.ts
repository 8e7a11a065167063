import { isAbsolute, relative, sep } from 'node:path';
import { printable } from '../support/printable.ts';

/** Longest path that is taken for one, in characters. */
const LONGEST = 500;

/**
 * The path of an image under the reports folder as a link in a report there, each part percent-encoded; null when the
 * value is no such path. Either may be relative to the current folder.
 */
export function imagePath(value: string, reportsFolder: string): string | null {
  if (value.length > LONGEST || !/\.(?:png|svg|jpe?g|gif|webp)$/i.test(value)) return null;
  if (printable(value) !== value) return null;
  const path = relative(reportsFolder, value);
  if (path.split(sep)[0] === '..' || isAbsolute(path)) return null;
  return path.split(sep).map(encodeURIComponent).join('/');
}
