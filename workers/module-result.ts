/** Checks what a module returned. By hand: loading zod would cost each thread 30 ms and 4 MB. */
import { InvalidResultError } from './invalid-result.ts';
import { firstOf } from '../src/support/cut-text.ts';

/** A result of a module with its optional parts filled in. */
export interface CheckedResult {
  output: unknown;
  filesModified: string[];
  metrics: Record<string, number>;
}

const FIELDS = ['output', 'filesModified', 'metrics'];

/** @throws InvalidResultError for anything but an object of these three fields. */
export function readModuleResult(value: unknown): CheckedResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidResultError(
      `it returned ${nameOf(value)} where ${FIELDS.join(', ')} or nothing is expected`,
    );
  }
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new InvalidResultError(
      `it returned an object with "${firstOf(unknown, 100)}" where only ${FIELDS.join(', ')} are known; put values under "output"`,
    );
  }
  return {
    output: 'output' in value ? value.output : undefined,
    filesModified: readFiles('filesModified' in value ? value.filesModified : undefined),
    metrics: readMetrics('metrics' in value ? value.metrics : undefined),
  };
}

function readFiles(value: unknown): string[] {
  if (value === undefined) return [];
  const paths: unknown[] | null = Array.isArray(value) ? Array.from(value) : null;
  if (paths?.every((path): path is string => typeof path === 'string') === true) return paths;
  throw new InvalidResultError('its filesModified is not an array of paths');
}

function readMetrics(value: unknown): Record<string, number> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null) {
    throw new InvalidResultError('its metrics are not an object of numbers');
  }
  const metrics: [string, number][] = [];
  for (const [name, number] of Object.entries(value)) {
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      throw new InvalidResultError(`its metric "${firstOf(name, 100)}" is not a finite number`);
    }
    if (name === '__proto__')
      throw new InvalidResultError('its metric "__proto__" has a name that is reserved');
    metrics.push([name, number]);
  }
  return Object.fromEntries(metrics);
}

function nameOf(value: unknown): string {
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
