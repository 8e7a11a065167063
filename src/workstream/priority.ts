import { PRIORITY_WORDS } from '../domain/workstream-file.ts';

const NUMBERS = new Map(Object.entries(PRIORITY_WORDS).map(([word, value]) => [word.toLowerCase(), value]));

/** A priority as a number; null for a word that is none. Case does not count, integers are taken as they are. */
export function priorityNumber(priority: number | string): number | null {
  return typeof priority === 'number' ? priority : (NUMBERS.get(priority.toLowerCase()) ?? null);
}
