import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of everything at a path, links as links. What goes while it is counted, or may not be looked at, is not. */
export async function sizeOf(path: string): Promise<number> {
  try {
    const found = await lstat(path);
    if (!found.isDirectory()) return found.size;
    let size = 0;
    for (const name of await readdir(path)) size += await sizeOf(join(path, name));
    return size;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'EACCES') return 0;
    throw error;
  }
}
