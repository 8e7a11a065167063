import { statSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { z } from 'zod';

const BYTES_PER_MB = 1e6;

/** The part of a step's input that says which files to read. */
export const fileSelectionSchema = z.strictObject({
  /** Globs below the workspace. */
  patterns: z.array(z.string()).min(1),
  /** Files are taken in the order of their paths until they would be more than this together. */
  max_megabytes: z.number().positive(),
  /** Larger files are passed over. */
  max_file_megabytes: z.number().positive().optional(),
});
export type FileSelection = z.infer<typeof fileSelectionSchema>;

export interface SelectedFile {
  /** Relative to the workspace, with `/`. */
  path: string;
  bytes: number;
}

/**
 * The files of a selection, in the order of their paths by code unit, so that the same tree always gives the same
 * list. Empty files and links are left out.
 * @throws Error when nothing matches.
 */
export function selectFiles(workspace: string, selection: FileSelection): SelectedFile[] {
  const { patterns, max_megabytes, max_file_megabytes = max_megabytes } = selection;
  const paths = globSync(patterns, { cwd: workspace, followSymbolicLinks: false }).toSorted();
  const files: SelectedFile[] = [];
  let left = max_megabytes * BYTES_PER_MB;
  for (const path of paths) {
    const bytes = statSync(join(workspace, path)).size;
    if (bytes === 0 || bytes > max_file_megabytes * BYTES_PER_MB) continue;
    if (bytes > left) break;
    left -= bytes;
    files.push({ path, bytes });
  }
  if (files.length === 0)
    throw new Error(`No file matches ${patterns.join(', ')} in ${workspace}: run npm ci first.`);
  return files;
}
