/** What a snapshot can't say, as sentences. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Captured } from './capture.ts';
import { listed } from './listed.ts';
import { relativeTo, type TreeChanges } from './tree-changes.ts';
import type { Worktree } from './worktree.ts';

/** One sentence a kind of thing that is not captured, or that a person should look at. */
export function notesOn(
  { look, gitlinks, uncaptured, unfiltered }: Captured,
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
  if (uncaptured === null) return notes;
  return [...notes, `Not everything that it left could be captured: ${uncaptured}. ${whereItIs(root)}`];
}

/** What a person does about work that could not be captured. */
export const whereItIs = (root: string): string =>
  !existsSync(root)
    ? `There is no folder ${root} any more.`
    : `The worktree stays, and everything is in it: ${root}. Save there what you need, or have git ignore it; once git can, \`millrace worktrees prune\` captures the rest and removes it.`;
