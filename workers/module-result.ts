/** Checks what a module returned. By hand: loading zod would cost each thread 30 ms and 4 MB. */
import { types } from 'node:util';
import { InvalidResultError } from './invalid-result.ts';
import { firstOf } from '../src/support/cut-text.ts';
import { ITERATOR, isRecord, type Keys, nameOf, propertiesOf, read, shownError } from './lossy-values.ts';

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
  if (types.isNativeError(value)) return `Throw it to fail: ${shownError(value)}`;
  if (nameOf(value) === ITERATOR) return 'Nobody reads what it yields: collect that and return it.';
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
