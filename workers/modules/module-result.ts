/** Checks what a module returned. By hand: loading zod would cost each thread 30 ms and 4 MB. */
import { types } from 'node:util';
import { MAX_NESTING } from '../../src/domain/json.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import {
  fieldPath,
  InvalidResultError,
  ITERATOR,
  isError,
  isRecord,
  type Keys,
  nameOf,
  propertiesOf,
  read,
  refusal,
  shownError,
} from './lossy-values.ts';

/** A result of a module with its optional parts filled in. */
export interface CheckedResult {
  output: unknown;
  filesModified: string[];
  metrics: Record<string, number>;
}

const FIELDS = ['output', 'filesModified', 'metrics'];

/** @throws InvalidResultError for anything but an object of these three fields. */
export function readModuleResult(value: unknown): CheckedResult {
  if (!isRecord(value)) {
    throw new InvalidResultError(
      `it returned ${nameOf(value)} where ${FIELDS.join(', ')} or nothing is expected. ${adviceFor(value)}`,
    );
  }
  const unknown = propertiesOf(value, ['result']).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new InvalidResultError(
      `it returned an object with "${firstOf(unknown, 100)}" where only ${FIELDS.join(', ')} are known; put values under "output"`,
    );
  }
  const field = (name: string): unknown => read(value, name, [name]);
  return {
    output: field('output'),
    filesModified: readFiles(field('filesModified')),
    metrics: readMetrics(field('metrics')),
  };
}

function adviceFor(value: unknown): string {
  if (isError(value)) return `Throw it to fail: ${shownError(value)}`;
  if (nameOf(value) === ITERATOR) return 'What it yields is not read: collect that and return it.';
  return 'Return values as { output }.';
}

function readFiles(value: unknown): string[] {
  if (value === undefined) return [];
  const paths: unknown[] | null = Array.isArray(value) ? Array.from(value) : null;
  if (paths?.every((path): path is string => typeof path === 'string') === true) return paths;
  throw new InvalidResultError('its filesModified is not an array of paths');
}

function readMetrics(value: unknown): Record<string, number> {
  if (value === undefined) return {};
  if (!isRecord(value)) {
    throw new InvalidResultError(`its metrics are ${nameOf(value)} and not an object of numbers`);
  }
  const path: Keys = ['metrics'];
  const metrics: [string, number][] = propertiesOf(value, path).map((name) => {
    if (name === '__proto__')
      throw new InvalidResultError('its metric "__proto__" has a name that is reserved');
    const number = read(value, name, [...path, name]);
    if (typeof number === 'number' && Number.isFinite(number)) return [name, number];
    throw new InvalidResultError(`its metric "${firstOf(name, 100)}" is not a finite number`);
  });
  return Object.fromEntries(metrics);
}

// Turns what a module returned into JSON text, strictly: what JSON would drop without a word is an error.

const MAX_MB = 16;
const MAX_LENGTH = MAX_MB * 1e6;

/**
 * JSON text of `output`, which may be made of plain objects, arrays, strings, numbers, booleans and null, of any realm,
 * and of what has a `toJSON` method. Members that are undefined are left out; in an array they are null.
 * @param onWarning called for each number and date that JSON can't hold and that became null.
 * @returns null for `undefined`.
 * @throws InvalidResultError with the path to what would lose content, for cycles, more than 16 MB and more than 500
 * levels.
 */
export function serializeOutput(output: unknown, onWarning: (text: string) => void): string | null {
  const writer = new JsonWriter(onWarning);
  return writer.write(output) ? writer.text : null;
}

class JsonWriter {
  readonly #onWarning: (text: string) => void;
  readonly #path: Keys = ['output'];
  /** The objects that are being written, one inside the other. */
  readonly #open = new Set<object>();
  readonly #parts: string[] = [];
  #length = 0;

  constructor(onWarning: (text: string) => void) {
    this.#onWarning = onWarning;
  }

  get text(): string {
    return this.#parts.join('');
  }

  /** Writes `before` and the value; writes nothing, and returns false, for what JSON leaves out. */
  write(given: unknown, before = ''): boolean {
    const value = this.#converted(given);
    if (value === undefined) return false;
    if (typeof value === 'object' && value !== null) this.#nested(value, before);
    else this.#put(before + this.#scalar(value));
    return true;
  }

  /** The value in whose place JSON writes something else. */
  #converted(value: unknown): unknown {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    const why = refusal(value, this.#path);
    if (why !== null) throw new InvalidResultError(`${fieldPath(this.#path)} ${why}`);
    if (types.isDate(value) && Number.isNaN(value.getTime())) return this.#null('an invalid date');
    const toJson = hasMembers(value) ? read(value, 'toJSON', this.#path) : undefined;
    return isMethod(toJson) ? this.#toJson(value, toJson) : unboxed(value);
  }

  #toJson(value: unknown, toJson: Method): unknown {
    let json: unknown;
    try {
      json = Reflect.apply(toJson, value, [String(this.#path.at(-1))]);
    } catch (error) {
      throw new InvalidResultError(
        `${fieldPath(this.#path)} can't be written as JSON: its toJSON throws ${shownError(error)}`,
      );
    }
    const why = refusal(json, this.#path);
    if (why !== null)
      throw new InvalidResultError(`the toJSON of ${fieldPath(this.#path)} returned what ${why}`);
    return unboxed(json);
  }

  #scalar(value: unknown): string {
    if (typeof value === 'string') {
      if (value.length > MAX_LENGTH) throw tooLarge(`${(value.length / 1e6).toFixed(0)} MB`);
      return JSON.stringify(value);
    }
    if (typeof value !== 'number' || Number.isFinite(value)) return String(value);
    return String(this.#null(String(value)));
  }

  #null(what: string): null {
    this.#onWarning(`${fieldPath(this.#path)} is ${what}, which JSON can't hold; it is stored as null.`);
    return null;
  }

  #nested(value: object, before: string): void {
    if (this.#open.has(value)) throw new InvalidResultError(`${fieldPath(this.#path)} contains itself`);
    if (this.#open.size === MAX_NESTING)
      throw new InvalidResultError(`its output is nested more than ${MAX_NESTING} levels deep`);
    this.#open.add(value);
    if (Array.isArray(value)) this.#array(value, before);
    else this.#object(value, before);
    this.#open.delete(value);
  }

  #array(items: unknown[], before: string): void {
    if (items.length > MAX_LENGTH / 2) throw tooLarge(`a list of ${items.length} items`);
    this.#put(`${before}[`);
    for (let index = 0; index < items.length; index += 1) {
      const comma = index === 0 ? '' : ',';
      if (!this.#member(items, index, comma)) this.#put(`${comma}null`);
    }
    this.#put(']');
  }

  #object(value: object, before: string): void {
    this.#put(`${before}{`);
    let comma = '';
    for (const key of propertiesOf(value, this.#path)) {
      if (this.#member(value, key, `${comma}${JSON.stringify(key)}:`)) comma = ',';
    }
    this.#put('}');
  }

  #member(parent: object, key: string | number, before: string): boolean {
    this.#path.push(key);
    const isWritten = this.write(read(parent, key, this.#path), before);
    this.#path.pop();
    return isWritten;
  }

  #put(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_LENGTH) throw tooLarge('more');
    this.#parts.push(text);
  }
}

const hasMembers = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'bigint';

type Method = (key: string) => unknown;

const isMethod = (value: unknown): value is Method => typeof value === 'function';

/** JSON writes `new String('x')` as it writes 'x'. */
function unboxed(value: unknown): unknown {
  if (types.isStringObject(value)) return String(value);
  if (types.isNumberObject(value)) return Number(value);
  return types.isBooleanObject(value) ? Boolean.prototype.valueOf.call(value) : value;
}

const tooLarge = (size: string): InvalidResultError =>
  new InvalidResultError(
    `its output has ${size} and may have ${MAX_MB} MB as JSON. Write it to a file and return the path`,
  );
