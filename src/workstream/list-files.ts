import { readdirSync } from 'node:fs';
import { errorCode } from './error-code.ts';
import { FolderError } from './folder-error.ts';

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
