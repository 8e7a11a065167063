/** Reads what a tool prints as JSON, one object a line, where nothing about its shape is certain. */
import { isObject, type Json, type JsonObject } from '../../src/domain/json.ts';

/**
 * Terminal sequences: control sequences such as colours, then strings such as titles, which end with BEL or ST and may
 * hold spaces, then single ones, then the beginning of one that was cut. The brace that may end a control sequence is
 * taken for the beginning of an object. `stripVTControlCharacters` leaves titles with spaces.
 */
const TERMINAL_SEQUENCE =
  // biome-ignore lint: the control characters are the point
  // oxlint-disable-next-line no-control-regex
  /\u001b(?:\[[0-?]*[ -/]*[@-z|}~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-Z\\^-z|}~]|[[\]])/g;
// biome-ignore lint: the control characters are the point
// oxlint-disable-next-line no-control-regex
const CONTROL_OR_MARK = /[\u0000-\u001f]|^\s*\ufeff/g;

/** The object that a line holds, also with terminal sequences around or in it; null for every other line. Never throws. */
export function jsonLine(text: string): JsonObject | null {
  return objectOf(text) ?? objectOf(withoutControls(text));
}

/**
 * A line without terminal sequences, control characters and byte order mark. JSON has none of them in its strings but
 * escaped, so that no event loses anything by it.
 */
export function withoutControls(line: string): string {
  return line.replace(TERMINAL_SEQUENCE, '').replace(CONTROL_OR_MARK, '');
}

function objectOf(text: string): JsonObject | null {
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

function valueAt(object: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path) {
    // Only a key of its own counts: "constructor" is none of the tool's words.
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

// Numbers that a tool gives for what it used: a report holds none that can't be one.

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
