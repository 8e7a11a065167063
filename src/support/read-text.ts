import { readFileSync } from 'node:fs';

/** The text of a file that the system makes up, as in /proc; empty where it is not there, has gone, or is not ours. */
export const readText = (path: string): string => readTextOrNull(path) ?? '';

/** The same; null where it is not there, has gone, or is not ours. */
export function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // What such a file tells is then not known.
    return null;
  }
}
