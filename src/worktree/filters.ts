/** Filters of git that must not fail and do: without them every call that reads a file of theirs fails as a whole. */
import { type GitResult, saidYes, splitNul } from './git.ts';

/** Options with which these filters may fail: their files then count as they are on the disk. */
const notRequired = (filters: readonly string[]): string[] =>
  filters.flatMap((name) => ['-c', `filter.${name}.required=false`]);

/** Options without the processes of these filters, of which each handles all files. */
const withoutProcess = (filters: readonly string[]): string[] =>
  filters.flatMap((name) => ['-c', `filter.${name}.process=`]);

/** What git says of a filter's process that ended too early, and ends itself. It does not say which it was. */
const HUNG_UP = /the remote end hung up unexpectedly/;

type Git = (args: readonly string[]) => Promise<GitResult>;

/**
 * Runs a command of git until no filter ends it that it was not told about. Returns the filters that failed (of
 * processes that ended too early all there are, because it may have been any of them), and the options with which they
 * do not matter to other calls that read the same files.
 */
export async function passingOverFilters(
  git: Git,
  command: readonly string[],
): Promise<{ result: GitResult; failed: string[]; options: string[] }> {
  const failed = new Set<string>();
  let processes: string[] = [];
  for (;;) {
    const options = [...withoutProcess(processes), ...notRequired([...failed])];
    const result = await git([...options, ...command]);
    const before = failed.size;
    if (result.exitCode !== 0) {
      const [, name] = /clean filter '(.+)' failed/.exec(result.stderr) ?? [];
      if (name === undefined && HUNG_UP.test(result.stderr)) processes = await filtersWithProcess(git);
      for (const each of name === undefined ? processes : [name]) failed.add(each);
    }
    if (failed.size === before) return { result, failed: [...failed], options };
  }
}

async function filtersWithProcess(git: Git): Promise<string[]> {
  const listed = await git(['config', '-z', '--name-only', '--get-regexp', '^filter\\..*\\.process$']);
  if (!saidYes(listed)) return [];
  return splitNul(listed.stdout).map((key) => key.slice('filter.'.length, -'.process'.length));
}
