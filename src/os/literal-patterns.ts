import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { escapePath, isDynamicPattern } from 'tinyglobby';

/**
 * Patterns, and beside each that is also the path of something in the folder that path alone: a name can be written like
 * a glob, as `run (1).csv` is, which as a glob means `run 1.csv`.
 */
export function withLiterals(patterns: readonly string[], folder: string): string[] {
  return patterns.flatMap((pattern) =>
    isDynamicPattern(pattern) && existsSync(resolve(folder, pattern))
      ? [pattern, escapePath(pattern.replace(/\/+$/, ''))]
      : [pattern],
  );
}
