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
