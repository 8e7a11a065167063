import { quote } from './json-value.ts';
import type { JsonPath } from './locate.ts';

/** Something wrong, or odd, in a definition; its place in the file is looked up only when it is reported. */
export interface Finding {
  severity: 'error' | 'warning';
  /** Path within the definition. */
  path: JsonPath;
  /** Whether the name of the field is meant, or its value. */
  at: 'key' | 'value';
  /** A sentence without its path. */
  message: string;
}

/** An error about a value. */
export function errorAt(path: JsonPath, message: string): Finding {
  return { severity: 'error', path, at: 'value', message };
}

/** A warning about a value. */
export function warningAt(path: JsonPath, message: string): Finding {
  return { severity: 'warning', path, at: 'value', message };
}

/** A path as people write it: `steps[0].run`, `env["a b"]`. */
export function fieldPath(path: JsonPath): string {
  return path.map(segmentText).join('').replace(/^\./, '');
}

function segmentText(segment: string | number): string {
  if (typeof segment === 'number') return `[${segment}]`;
  return /^[\w$-]{1,60}$/.test(segment) ? `.${segment}` : `[${quote(segment)}]`;
}
