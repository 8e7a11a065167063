import { outputOf, saidYes, splitNul } from './git.ts';
import { gitRead, type Repository } from './repository.ts';

/** Most files that are looked into. */
const MOST = 200;

/**
 * Files in which the marks of a conflict came between two commits or trees and are still there, relative to the root.
 * @throws GitError where git can't tell
 */
export async function conflictMarkers(repository: Repository, from: string, to: string): Promise<string[]> {
  const only = [
    '-r',
    '-z',
    '--name-only',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--diff-filter=d',
  ];
  const changed = await gitRead(repository, ['diff-tree', ...only, '-G^<<<<<<< ', from, to, '--']);
  const paths = splitNul(outputOf(changed)).slice(0, MOST);
  if (paths.length === 0) return [];
  const both = ['--all-match', '-e', '^<<<<<<< ', '-e', '^>>>>>>> '];
  const literal = paths.map((path) => `:(top,literal)${path}`);
  const found = await gitRead(repository, ['grep', '-l', '-z', '-I', ...both, to, '--', ...literal]);
  return saidYes(found) ? splitNul(found.stdout).map((line) => line.slice(to.length + 1)) : [];
}
