import { FOLDER_OPTIONS } from '../../app/option-table.ts';
import { resolvePaths } from '../../app/paths.ts';
import { type PruneResult, prune as pruneRuns, type Removed } from '../../app/prune.ts';
import { plural, shownPath } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { PruneArguments } from '../commands/prune.ts';
import { durationOf } from '../options.ts';
import { printJson, printText, table } from '../print.ts';
import { UsageError } from '../usage-error.ts';

const OLDER_THAN = '30d';

/** Most things that the text names. */
const NAMED = 20;

const WORDS: Record<Removed['kind'], string> = {
  worktrees: 'worktrees',
  refs: 'branches and refs',
  logs: 'logs of runs',
  cache: 'cached modules',
  results: 'results kept for later runs',
  outputs: 'outputs of workstreams',
  temporary: 'temporary files of killed processes',
  runs: 'runs in the database',
};

/** Removes what old runs left. Exits 1 where something could not be removed. @throws UsageError */
export async function prune(argv: PruneArguments): Promise<number> {
  const { keep = null, olderThan, runs, dryRun, state, reports } = argv;
  if (keep !== null && !(Number.isSafeInteger(keep) && keep >= 0))
    throw new UsageError('--keep must be a whole number from 0.');
  const age = olderThan ?? (keep === null ? OLDER_THAN : null);
  const olderThanSeconds = age === null ? null : durationOf('--older-than', age);
  const paths = resolvePaths({
    cwd: process.cwd(),
    workstreams: FOLDER_OPTIONS.workstreams.default,
    state,
    reports,
  });
  const result = await pruneRuns(paths, { keep, olderThanSeconds, runs, dryRun });
  if (argv.json) await printJson({ version: 1, dryRun, ...result });
  else await printText(textOf(result, dryRun));
  return result.problems.length === 0 ? 0 : 1;
}

function textOf({ removed, kept, problems }: PruneResult, dryRun: boolean): string {
  const rows = removed.map(({ kind, count, bytes }) => [
    WORDS[kind],
    count,
    bytes === null ? null : size(bytes),
  ]);
  const head = [dryRun ? 'would be removed' : 'removed', 'number', 'size'];
  const what = rows.length === 0 ? 'Nothing to remove.' : table(head, rows);
  const names = kept.map(({ what: name, why }) => `  ${shown(name)}: ${oneLine(why, 300)}`);
  return [what, ...list('Kept:', names), ...problems.map((text) => oneLine(text, 1_000))].join('\n');
}

function list(head: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - NAMED;
  const rest = more > 0 ? [`  ${plural(more, 'more thing')}; --json names all`] : [];
  return ['', head, ...lines.slice(0, NAMED), ...rest];
}

const shown = (name: string): string =>
  oneLine(name.startsWith('/') ? shownPath(process.cwd(), name) : name, 200);

const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
