/** Turns what a module returned into JSON text, strictly: what JSON would drop without a word is an error. */
import { isDeeper, MAX_NESTING } from '../src/domain/nesting.ts';
import { firstOf } from '../src/support/cut-text.ts';
import { InvalidResultError } from './invalid-result.ts';

const MAX_MB = 16;

/**
 * @param onWarning is told of numbers that JSON can't hold and that became null.
 * @returns null for `undefined`.
 * @throws InvalidResultError for functions, symbols, big integers, maps, sets, binary data, cycles, more than
 * 16 MB and more than 500 levels.
 */
export function serializeOutput(output: unknown, onWarning: (text: string) => void): string | null {
  if (output === undefined) return null;
  const json = stringify(output, onWarning);
  if (json.length > MAX_MB * 1e6) throw tooLarge(json.length / 1e6);
  if (isDeeper(json, MAX_NESTING))
    throw new InvalidResultError(`its output is nested more than ${MAX_NESTING} levels deep`);
  return json;
}

function stringify(output: unknown, onWarning: (text: string) => void): string {
  try {
    refuseHuge(output, '');
    return JSON.stringify(output, function check(this: unknown, key: string, value: unknown): unknown {
      if (typeof value === 'number' && !Number.isFinite(value)) {
        onWarning(`The output holds ${value}${place(key)}, which JSON can't hold; it is stored as null.`);
      }
      const kind = unsupported(value);
      if (typeof value === 'object' && value !== null) {
        for (const [name, child] of Object.entries(value)) refuseHuge(child, name);
      }
      if (kind !== null)
        throw new InvalidResultError(`its output holds ${kind}${place(key)}, which JSON can't hold`);
      return value;
    });
  } catch (error) {
    if (error instanceof InvalidResultError) throw error;
    if (error instanceof RangeError)
      throw new InvalidResultError('its output is too large or too deep for JSON');
    throw new InvalidResultError(`its output can't be written as JSON: ${firstLine(error)}`);
  }
}

const place = (key: string): string => (key === '' ? '' : ` at "${firstOf(key, 100)}"`);

const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';

/** The name of a kind of value that JSON drops or turns into something else. */
function unsupported(value: unknown): string | null {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'bigint') return 'a BigInt';
  if (value instanceof Map) return 'a Map';
  if (value instanceof Set) return 'a Set';
  if (value instanceof Promise) return 'a promise that was not awaited';
  return null;
}

/**
 * Looked for one level ahead of JSON: a Buffer would turn itself into an array of numbers first, and a string that
 * does not fit could take the whole process's heap with it.
 */
function refuseHuge(value: unknown, key: string): void {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw new InvalidResultError(`its output holds binary data${place(key)}, which JSON can't hold`);
  }
  if (typeof value === 'string' && value.length > MAX_MB * 1e6) throw tooLarge(value.length / 1e6);
}

const tooLarge = (megabytes: number): InvalidResultError =>
  new InvalidResultError(
    `its output has ${megabytes.toFixed(0)} MB and may have ${MAX_MB} as JSON. Write it to a file and return the path`,
  );
