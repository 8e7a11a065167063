/** Longest stack that is looked through, in characters. */
import { firstOf } from '../support/cut-text.ts';

const LOOKED_AT = 20_000;

/**
 * The place of the first frame of a stack that is in a file and not in Node or a package: "path:line:column".
 * Null when there is none.
 */
export function firstFrame(stack: string): string | null {
  for (const line of firstOf(stack, LOOKED_AT).split('\n')) {
    const match = /^\s*at (?:.*\()?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?\s*$/.exec(line);
    const place = match?.[1];
    if (place !== undefined && !place.includes('/node_modules/')) return place.replace(/^file:\/\//, '');
  }
  return null;
}
