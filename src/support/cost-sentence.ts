import { dollars } from './dollars.ts';
import { plural } from './plural.ts';

/**
 * What is known to have been spent, as a sentence.
 * @param knownUsd null when nothing is known.
 * @param unknown number of attempts whose cost is not known.
 */
export function costSentence(knownUsd: number | null, unknown: number): string {
  if (knownUsd === null) return 'What it cost is not known.';
  const rest = unknown === 0 ? '' : ` What ${plural(unknown, 'attempt')} cost is not known.`;
  return `${dollars(knownUsd)} is known to have been spent.${rest}`;
}
