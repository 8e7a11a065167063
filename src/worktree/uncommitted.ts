/** What the user has not committed, which no worktree has. */
import { isAbsolute, join, relative, sep } from 'node:path';
import { complaint, splitNul } from './git.ts';
import { listed } from './listed.ts';
import { gitRead, type Repository } from './repository.ts';

/** A sentence where the tree is dirty when the run begins; what is in the state folder does not make it so. */
export async function uncommittedNotes(repository: Repository, stateFolder: string): Promise<string[]> {
  const status = await gitRead(repository, ['status', '--porcelain=v1', '-z', '--no-renames']);
  if (status.exitCode !== 0)
    return [`Whether all was committed when the run began is not known: ${complaint(status)}.`];
  const paths = splitNul(status.stdout)
    .map((line) => line.slice(3))
    .filter((path) => path !== '' && !overlaps(join(repository.root, path), stateFolder));
  if (paths.length === 0) return [];
  return [`Not committed when the run began, so not in its worktree: ${listed(paths)}.`];
}

/** A folder that is all new is one line, and may hold the state folder. */
export const overlaps = (path: string, stateFolder: string): boolean =>
  isBelow(stateFolder, path) || isBelow(path, stateFolder);

function isBelow(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below === '' || (below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below));
}
