/** Numbers that a tool says of its work, as a report may hold them: what can't be one is not known. */
import type { JsonObject } from '../../src/domain/json.ts';
import { numberAt } from './json-line.ts';

/** The number of things at a path of keys; null where there is none that is a whole number from 0. */
export function countAt(object: JsonObject, ...path: string[]): number | null {
  const number = numberAt(object, ...path);
  return number !== null && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** The amount at a path of keys, such as US dollars; null where there is none from 0. */
export function amountAt(object: JsonObject, ...path: string[]): number | null {
  const number = numberAt(object, ...path);
  return number !== null && number >= 0 ? number : null;
}
