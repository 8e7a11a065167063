/** Numbers that a tool gives for what it used: a report holds none that can't be one. */
import type { JsonObject } from '../../src/domain/json.ts';
import { numberAt } from './json-line.ts';

/** The whole number from 0 at a path of keys; null where there is none or where something else is. */
export function countAt(object: JsonObject, ...path: string[]): number | null {
  const value = numberAt(object, ...path);
  return Number.isSafeInteger(value) && value !== null && value >= 0 ? value : null;
}

/** The amount of money from 0 at a path of keys; null where there is none or where something else is. */
export function amountAt(object: JsonObject, ...path: string[]): number | null {
  const value = numberAt(object, ...path);
  return value !== null && value >= 0 ? value : null;
}
