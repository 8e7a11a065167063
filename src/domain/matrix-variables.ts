import type { JsonObject } from './json.ts';

/** Name of the environment variable that carries a matrix value: `node-version` is in `MATRIX_NODE_VERSION`. */
export function variableName(name: string): string {
  return `MATRIX_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

/** The values of a member of a matrix as environment variables: text as it is, everything else as JSON. */
export function matrixVariables(member: JsonObject | null): Record<string, string> {
  return Object.fromEntries(
    Object.entries(member ?? {}).map(([name, value]) => [
      variableName(name),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
