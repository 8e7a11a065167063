/** What TypeScript means by a specifier where Node would look for another file. */
import { readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, extname, isAbsolute, join, resolve } from 'node:path';
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
const LEFT_OUT = ['.ts', '.tsx', '.js', '.json'];
const INDEX = ['index.ts', 'index.tsx', 'index.js'];

/** It has types alone, also where `paths` names it. */
const DECLARATION = /\.d\.[cm]?ts$/;

/**
 * What a specifier of CommonJS names: an absolute path where it is relative, which ends with a slash where only a folder
 * is meant; any other name stays what it is.
 */
export function pathOf(specifier: string, importer: string): string {
  if (!/^\.\.?(?:\/|$)/.test(specifier)) return specifier;
  return resolve(dirname(importer), specifier) + (/(?:^|\/)\.{0,2}$/.test(specifier) ? '/' : '');
}

/**
 * The file that a TypeScript file imports, as an absolute path; null where that is left to Node.
 * @param wanted an absolute path, or what `paths` or `baseUrl` in tsconfig.json may map to one.
 * @param importer absolute path of the TypeScript file.
 */
export function typeScriptTarget(wanted: string, importer: string, settings: SettingsReader): string | null {
  if (isAbsolute(wanted)) return replacement(wanted);
  if (isBuiltin(wanted)) return null;
  for (const mapped of settings.of(importer).mapped(wanted)) {
    const found = replacement(mapped) ?? (isFile(mapped) ? mapped : null);
    if (found !== null && !DECLARATION.test(found)) return found;
  }
  return null;
}

/** Null where the path is that of a file which no TypeScript file takes the place of, and where there is nothing. */
function replacement(path: string): string | null {
  if (path.endsWith('/')) return fileOfFolder(path);
  const extension = /\.[cm]?jsx?$/.exec(path)?.[0] ?? '';
  const base = path.slice(0, path.length - extension.length);
  const source = (SOURCES[extension] ?? []).map((other) => base + other).find(isFile);
  if (source !== undefined) return source;
  if (isFile(path)) return null;
  return LEFT_OUT.map((end) => path + end).find(isFile) ?? fileOfFolder(path);
}

/** The file that a folder stands for: what its package.json names, or its index. */
function fileOfFolder(folder: string): string | null {
  const main = mainOf(folder);
  const named = main === null ? null : (replacement(main) ?? (isFile(main) ? main : null));
  return named ?? INDEX.map((name) => join(folder, name)).find(isFile) ?? null;
}

/** Absolute path; null for none. */
function mainOf(folder: string): string | null {
  try {
    const { main }: { main?: unknown } = Object(
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    );
    return typeof main === 'string' && resolve(folder, main) !== resolve(folder)
      ? resolve(folder, main)
      : null;
  } catch {
    // Node says what is wrong with a package.json when it loads the file.
    return null;
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
