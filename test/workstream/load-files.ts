import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem, type LoadedFolder } from '../../src/domain/plan.ts';
import type { KnownTools } from '../../src/workstream/definition.ts';
import { loadFolder } from '../../src/workstream/load.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A file's content: bytes and text as they are, anything else as JSON. */
export type Content = string | Uint8Array | object;

/** Loads a new folder `workstreams` with these files, as if started in the folder above it. */
export function loadFiles(
  files: Record<string, Content>,
  tools: KnownTools | null = null,
): LoadedFolder & { start: string } {
  const start = temporaryFolder();
  const folder = join(start, 'workstreams');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content));
  }
  return { ...loadFolder('workstreams', { cwd: start, tools }), start };
}

/** The problems as `validate` prints them, without the folder's name. */
export function problemLines(loaded: LoadedFolder): string[] {
  return loaded.problems.map((problem) => formatProblem(problem).replace(/^workstreams\//, ''));
}

/** The problems of one file `a.json` with this content, without the file's name. */
export function problemsOf(content: Content): string[] {
  return problemLines(loadFiles({ 'a.json': content })).map((line) => line.replace(/^a\.json:/, ''));
}
