/** What TypeScript means by a specifier where Node would look for another file. */
import { statSync } from 'node:fs';
import { extname, isAbsolute, resolve } from 'node:path';
import type { SettingsReader } from './file-settings.ts';

const EXTENSIONS = new Set(['.ts', '.mts', '.cts', '.tsx']);

/** Whether a path is that of a TypeScript file. */
export const isTypeScript = (path: string): boolean => EXTENSIONS.has(extname(path));

/** What a JavaScript file is called that tsc writes, to what it is written from. */
const SOURCES: Record<string, readonly string[]> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/** What a specifier may leave out. */
const LEFT_OUT = ['.ts', '.tsx', '.js', '/index.ts', '/index.tsx', '/index.js'];

/**
 * The file that a TypeScript file imports, as an absolute path; null where that is left to Node.
 * @param wanted an absolute path, or what `paths` or `baseUrl` in tsconfig.json may map to one.
 * @param importer absolute path of the TypeScript file.
 */
export function typeScriptTarget(wanted: string, importer: string, settings: SettingsReader): string | null {
  if (isAbsolute(wanted)) return replacement(resolve(wanted));
  for (const mapped of settings.of(importer).mapped(wanted)) {
    const found = replacement(mapped) ?? (isFile(mapped) ? mapped : null);
    if (found !== null) return found;
  }
  return null;
}

/** Null where the path is that of a file which no TypeScript file takes the place of, and where there is nothing. */
function replacement(path: string): string | null {
  const extension = /\.[cm]?jsx?$/.exec(path)?.[0] ?? '';
  const base = path.slice(0, path.length - extension.length);
  const source = (SOURCES[extension] ?? []).map((other) => base + other).find(isFile);
  if (source !== undefined) return source;
  return isFile(path) ? null : (LEFT_OUT.map((end) => path + end).find(isFile) ?? null);
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
