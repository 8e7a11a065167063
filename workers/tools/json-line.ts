/** Reads what a tool prints as JSON, one object a line, where nothing about its shape is certain. */
import type { Json, JsonObject } from '../../src/domain/json.ts';

/** The object that a line holds; null for every other line. Never throws. */
export function jsonLine(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    // A tool may print anything between its events; what is no JSON is no event.
    return null;
  }
}

/** The string at a path of keys; null where there is none or where something else is. */
export function textAt(object: JsonObject, ...path: string[]): string | null {
  const value = valueAt(object, path);
  return typeof value === 'string' ? value : null;
}

/** The finite number at a path of keys; null where there is none or where something else is. */
export function numberAt(object: JsonObject, ...path: string[]): number | null {
  const value = valueAt(object, path);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The list at a path of keys; empty where there is none or where something else is. */
export function listAt(object: JsonObject, ...path: string[]): Json[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value : [];
}

/** The object at a path of keys; null where there is none or where something else is. */
export function objectAt(object: JsonObject, ...path: string[]): JsonObject | null {
  const value = valueAt(object, path);
  return isObject(value) ? value : null;
}

/** Whether a value is an object with keys, and so no list and not null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(object: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path) {
    // Only a key of its own counts: "constructor" is none of the tool's words.
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
