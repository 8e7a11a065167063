/** What a snapshot can't say, as sentences. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Captured } from './capture.ts';
import { listed } from './listed.ts';
import { relativeTo, type TreeChanges } from './tree-changes.ts';
import type { Worktree } from './worktree.ts';

/** One sentence a kind of thing that is not captured, or that a person should look at. */
export function notesOn(
  { look, gitlinks, incomplete, unfiltered }: Captured,
  { root }: Worktree,
  changes: TreeChanges,
  prefix: string,
): string[] {
  const empty = gitlinks.filter((path) => !existsSync(join(root, path, '.git')));
  const changed = [...new Set([...look.submodules, ...changes.gitlinks])];
  const kinds: [string, readonly string[]][] = [
    ['Ignored by git and not captured', look.ignored],
    ['Left in conflict by an unfinished merge', look.conflicted],
    ['Repositories of their own inside the worktree, not captured', look.embedded],
    ['Submodules that changed; what is in them is not captured', changed],
    ['Submodules, which start empty', empty],
  ];
  const notes = kinds
    .filter(([, paths]) => paths.length > 0)
    .map(([sentence, paths]) => `${sentence}: ${listed(paths.map((path) => relativeTo(prefix, path)))}.`);
  if (unfiltered.length > 0)
    notes.push(`Filters that failed, so that their files were captured as they are: ${listed(unfiltered)}.`);
  return incomplete === null ? notes : [...notes, `Not everything could be captured: ${incomplete}.`];
}
