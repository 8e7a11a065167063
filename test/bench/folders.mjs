/** Folders of workstreams to measure with, below one that is removed at the end. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const base = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
process.once('exit', () => rmSync(base, { recursive: true, force: true }));

const work = fileURLToPath(new URL('./programs/work.mjs', import.meta.url));

/** A module step that calls `name` of programs/work.mjs. */
export const moduleStep = (name, input = null) => ({ module: work, export: name, input });

/** A folder whose workstreams are these objects, in one file. A label that was used before names the same folder. */
export function folderWith(label, workstreams) {
  const cwd = join(base, label);
  if (existsSync(cwd)) return cwd;
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

/** A folder with so many workstreams that do nothing. */
export const noOpFolder = (count) => folderOf(`no-ops-${count}`, count, moduleStep('nothing'));
