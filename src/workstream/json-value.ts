import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { shortened } from '../text/cut-text.ts';
import type { JsonPath } from './locate.ts';

/** The object's own field; undefined where there is none, so that `constructor` finds nothing inherited. */
export function fieldOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The value at the path; undefined where there is none. */
export function valueAt(root: Json, path: JsonPath): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === 'number') value = value[segment];
    else if (isObject(value) && typeof segment === 'string') value = fieldOf(value, segment);
    else return undefined;
  }
  return value;
}

/** Longest text of a file that a message repeats. */
const MAX_QUOTED = 60;

/** Text in double quotes on one line, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(shortened(text, MAX_QUOTED));
}

/** What was found, for the end of a message: `"text"`, `5`, `null`, "an empty array". */
export function describeValue(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

const isScalar = (value: Json): value is string | number | boolean | null =>
  typeof value !== 'object' || value === null;

/** JSON text without spaces, keys by code unit. */
export function canonical(value: Json): string {
  if (isScalar(value)) return JSON.stringify(value);
  if (Array.isArray(value)) {
    return value.every(isScalar) ? JSON.stringify(value) : `[${value.map(canonical).join(',')}]`;
  }
  let text = '';
  for (const key of Object.keys(value).toSorted()) {
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(value[key] ?? null)}`;
  }
  return `{${text}}`;
}
