/** Expands one definition into many: every combination of the matrix's values. */
import type { Json, JsonObject } from '../domain/json.ts';
import { fieldOf, isObject } from './json-value.ts';

/** A reference such as `${{ matrix.seed }}`; the group is the name. */
const REFERENCE = /\$\{\{\s*matrix\.([^{}]*)\}\}/g;

/** The matrix's lists by name. */
export type Matrix = Record<string, Json[]>;

/** Number of combinations. */
export function memberCount(matrix: Matrix): number {
  return Object.values(matrix).reduce((product, values) => product * values.length, 1);
}

/** The combinations in order of the cartesian product: the last name changes fastest. */
export function combinations(matrix: Matrix): JsonObject[] {
  let members: [string, Json][][] = [[]];
  for (const [name, values] of Object.entries(matrix)) {
    members = members.flatMap((member) =>
      values.map((value): [string, Json][] => [...member, [name, value]]),
    );
  }
  return members.map((member) => Object.fromEntries(member));
}

/** Names of the matrix values that the text refers to. */
export function references(text: string): string[] {
  return text.includes('${{') ? [...text.matchAll(REFERENCE)].map((match) => (match[1] ?? '').trim()) : [];
}

/**
 * The value with its references replaced. A text that is one reference becomes the member's value, of whatever type;
 * references inside a text become text. What has none is returned as it is, not copied.
 */
export function substitute(value: Json, member: JsonObject): Json {
  if (typeof value === 'string') return substituteText(value, member);
  if (Array.isArray(value)) {
    const items = value.map((item) => substitute(item, member));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]): [string, Json] => [
    name,
    substitute(item, member),
  ]);
  return entries.some(([name, item]) => item !== value[name]) ? Object.fromEntries(entries) : value;
}

/** `substitute` for a text that stays a text. */
export function substituteInText(text: string, member: JsonObject): string {
  return asText(substituteText(text, member));
}

function substituteText(text: string, member: JsonObject): Json {
  if (!text.includes('${{')) return text;
  const [only] = text.matchAll(REFERENCE);
  if (only !== undefined && only[0] === text) return fieldOf(member, (only[1] ?? '').trim()) ?? null;
  return text.replaceAll(REFERENCE, (_reference, name: string) =>
    asText(fieldOf(member, name.trim()) ?? null),
  );
}

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
