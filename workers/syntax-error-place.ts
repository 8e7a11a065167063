import { spawnSync } from 'node:child_process';

/**
 * File, line and source line of a module's syntax error, as `node --check` prints it; null when the error is in
 * another file. An error from `import()` does not say where it is, and this runs only after one.
 */
export function syntaxErrorPlace(file: string): string | null {
  const check = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 10_000 });
  if (check.status === 0 || check.stderr === null) return null;
  return check.stderr.split('\n').slice(0, 3).join('\n').trim() || null;
}
