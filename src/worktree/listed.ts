import { plural } from '../support/plural.ts';
import { oneLine } from '../support/printable.ts';

/** Texts that a sentence names before it counts the rest. */
const SHOWN = 5;

/** `a, b and 3 others`, for a sentence. */
export function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN).map((text) => oneLine(text, 200));
  const rest = texts.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${plural(rest, 'other')}` : shown.join(', ');
}
