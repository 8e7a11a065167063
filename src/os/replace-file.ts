/**
 * The one way to write a file that others may read meanwhile: whole or not at all. The text goes to a hidden file beside
 * it first. That one is named for the process that writes it, so that what a killed process left is found and removed.
 */
import { closeSync, fchmodSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isGone, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import { writeAll } from './regular-file.ts';

export interface ReplaceOptions {
  /** Permissions of the new file. Default: those of any new file of this process. */
  mode?: number;
  /** Whether the contents are on the disk when it takes its place. Default: true. False where it can be made again. */
  durable?: boolean;
}

/**
 * Writes a file in place of the one at `path`, if there is one. A link at `path` is replaced, not followed. The folder
 * has to be there. When this throws, what was at `path` is as it was, and nothing is left beside it.
 * @throws the file system's error.
 */
export function replaceFile(
  path: string,
  contents: string | Uint8Array,
  { mode, durable = true }: ReplaceOptions = {},
): void {
  const unfinished = temporaryOf(path);
  // A link in its place would lead elsewhere.
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, 'wx');
  try {
    try {
      writeAll(file, Buffer.from(contents));
      if (mode !== undefined) fchmodSync(file, mode);
      if (durable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/**
 * The temporary files in a folder that were left by processes which were killed while they replaced a file; none where
 * the folder can't be listed.
 * @param target matches the names of the files that were to be replaced.
 */
export function abandonedTemporaries(folder: string, target: RegExp): string[] {
  const temporary = new RegExp(`^\\.(?:${target.source})\\.(\\d+)\\.(.+?)(?:\\+([^+]+))?\\.tmp$`);
  return namesIn(folder)
    .filter((name) => {
      const [, pid, hostname = '', pidNamespace = null] = temporary.exec(name) ?? [];
      return pid !== undefined && isGone({ pid: Number(pid), started: null, hostname, pidNamespace });
    })
    .map((name) => join(folder, name));
}

/** Beside the file, because a file can only be renamed within its file system. */
const temporaryOf = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${writer(ownIdentity())}.tmp`);

/** The process id, the host, and the namespace of the id. */
const writer = ({ pid, hostname, pidNamespace }: ProcessIdentity): string =>
  `${pid}.${hostname}${pidNamespace ? `+${pidNamespace}` : ''}`;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Nothing that could be removed is known then.
    return [];
  }
}
