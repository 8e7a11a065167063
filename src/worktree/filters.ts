/** Filters of git that must not fail and do: without them every call that reads a file of theirs fails as a whole. */
import type { GitResult } from './git.ts';

/** Options with which these filters may fail: their files then count as they are on the disk. */
export const notRequired = (filters: readonly string[]): string[] =>
  filters.flatMap((name) => ['-c', `filter.${name}.required=false`]);

/** Runs git until no filter ends it that it was not told about. Gives those that failed. */
export async function passingOverFilters(
  run: (options: readonly string[]) => Promise<GitResult>,
): Promise<{ result: GitResult; failed: string[] }> {
  const failed: string[] = [];
  for (;;) {
    const result = await run(notRequired(failed));
    const [, name] = /clean filter '(.+)' failed/.exec(result.stderr) ?? [];
    if (result.exitCode === 0 || name === undefined || failed.includes(name)) return { result, failed };
    failed.push(name);
  }
}
