/** A folder of workstream files to definitions, with every problem at once. */
import { readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { LoadedFolder } from '../domain/plan.ts';
import { WHOLE_BYTES } from './array-parts.ts';
import type { DefinitionContext, KnownTools } from './definition.ts';
import { type FileContext, type LoadedFile, loadFile } from './load-file.ts';
import { PlainReader } from './plain.ts';
import { errorCode, FolderError } from './read-file.ts';
import { relocatePaths } from './relocate-paths.ts';
import { resolveReferences } from './resolve-references.ts';

export interface LoadOptions {
  /** The folder that Millrace was started in: `folder`, `cwd` and shown paths are relative to it. */
  cwd?: string;
  /** The tools that steps may name; any without them. */
  tools?: KnownTools | null;
  /** A file with more bytes is read in parts, where its form allows that. Default: 1 MB. */
  wholeBytes?: number;
}

/**
 * Loads every `*.json` directly in the folder, in order of the file names by code unit. Whatever is wrong with a file
 * costs only what it says: it is among `broken` and `problems`, the rest is among `workstreams`. Ids are unique
 * across both. Throws `FolderError`, and only that, when the folder itself can't be used.
 */
export function loadFolder(folder: string, options: LoadOptions = {}): LoadedFolder {
  const start = resolve(options.cwd ?? process.cwd());
  const path = resolve(start, folder);
  const names = listFiles(path);
  const context: DefinitionContext = {
    folders: { file: path, start },
    isFile: cached(isFile),
    tools: options.tools ?? null,
    count: { workstreams: 0 },
  };
  const { wholeBytes = WHOLE_BYTES } = options;
  const ofFile: FileContext = { ...context, plain: new PlainReader(context), wholeBytes };
  const all: LoadedFile = { workstreams: [], broken: [], nameless: [], bases: [], problems: [], files: 0 };
  const shown = shownFolder(path, start);
  for (const name of names) append(all, loadFile(join(path, name), join(shown, name), ofFile));
  const pathOf = (file: string): string => resolve(start, file);
  return resolveReferences(all, (targets) => relocatePaths(targets, pathOf, wholeBytes));
}

function append(all: LoadedFile, file: LoadedFile): void {
  // Of a folder with one large file the list is not copied.
  if (all.workstreams.length === 0) all.workstreams = file.workstreams;
  else for (const workstream of file.workstreams) all.workstreams.push(workstream);
  for (const broken of file.broken) all.broken.push(broken);
  for (const broken of file.nameless) all.nameless.push(broken);
  for (const base of file.bases) all.bases.push(base);
  for (const problem of file.problems) all.problems.push(problem);
  all.files += file.files;
}

/** The folder relative to the one Millrace was started in, if it is below it; otherwise absolute. */
function shownFolder(folder: string, start: string): string {
  const below = relative(start, folder);
  return below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? folder : below;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // Whatever the reason, there is nothing that could be imported.
    return false;
  }
}

function cached(ask: (path: string) => boolean): (path: string) => boolean {
  const answers = new Map<string, boolean>();
  return (path) => {
    let answer = answers.get(path);
    if (answer === undefined) answers.set(path, (answer = ask(path)));
    return answer;
  };
}

/**
 * Names of the `*.json` entries directly in the folder, by code unit. As with a shell's `*.json`, names that begin
 * with a dot are none of them. Throws `FolderError` when there is no such folder or it can't be read.
 */
export function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .toSorted();
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') throw new FolderError('missing', folder, error);
    if (code === 'ENOTDIR') throw new FolderError('not-a-folder', folder, error);
    throw new FolderError('unreadable', folder, error);
  }
}
