/** Folders of workstreams to measure with, below one that is removed at the end. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const base = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
process.once('exit', () => rmSync(base, { recursive: true, force: true }));

const work = fileURLToPath(new URL('./programs/work.mjs', import.meta.url));

/** A module step that calls `name` of programs/work.mjs. */
export const moduleStep = (name, input = null) => ({ module: work, export: name, input });

/** A folder whose workstreams are these objects, in one file. */
export function folderWith(label, workstreams) {
  const cwd = join(base, label);
  mkdirSync(join(cwd, 'workstreams'), { recursive: true });
  writeFileSync(join(cwd, 'workstreams', 'all.json'), JSON.stringify(workstreams));
  return cwd;
}

/** A folder with `count` workstreams of this one step. */
export const folderOf = (label, count, step) =>
  folderWith(
    label,
    Array.from({ length: count }, (_, index) => ({ id: `ws-${index + 1}`, steps: [step] })),
  );

/** A folder with one file for each of these objects. */
export function folderOfFiles(label, workstreams) {
  const cwd = join(base, label);
  mkdirSync(join(cwd, 'workstreams'), { recursive: true });
  for (const workstream of workstreams)
    writeFileSync(join(cwd, 'workstreams', `${workstream.id}.json`), JSON.stringify(workstream));
  return cwd;
}

/** A folder with one workstream that does nothing. */
export const emptyFolder = () => folderOf('empty', 1, moduleStep('nothing'));
