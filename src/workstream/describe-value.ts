import type { Json } from '../domain/json.ts';
import { shortened } from '../support/cut-text.ts';

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
