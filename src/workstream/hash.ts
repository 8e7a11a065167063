import { hash } from 'node:crypto';
import type { Json, JsonObject } from '../domain/json.ts';

/** SHA-256 in hexadecimal of a value's canonical JSON: equal values have equal hashes, however they were written. */
export function hashOf(value: Json): string {
  return hash('sha256', canonical(value));
}

/** The hash of a definition with the values of one member of its matrix. */
export function hashOfMember(definitionHash: string, member: JsonObject): string {
  return hash('sha256', `${definitionHash}\n${canonical(member)}`);
}

const isScalar = (value: Json): value is string | number | boolean | null =>
  typeof value !== 'object' || value === null;

/** JSON text without spaces, keys by code unit. */
function canonical(value: Json): string {
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
