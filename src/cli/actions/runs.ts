import { shortCommit } from '../../domain/history/history.ts';
import type { RunSummary } from '../../domain/run-record.ts';
import { listRuns } from '../../store/read/runs.ts';
import { seconds } from '../../text/format.ts';
import type { RunsArguments } from '../commands/runs.ts';
import { withHistory } from '../history.ts';
import { next, printJson, printText, stateWords, table } from '../print.ts';
import { UsageError } from '../usage-error.ts';

/** Lists the runs, newest first. */
export async function runs(argv: RunsArguments): Promise<number> {
  const { limit } = argv;
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError('--limit takes a whole number from 1.');
  return withHistory(argv.state, async (connection) => {
    const found = connection === null ? [] : listRuns(connection, { limit });
    if (argv.json) await printJson({ version: 1, runs: found });
    else await printText(found.length === 0 ? 'No runs yet. Start one with: millrace run' : text(found));
    return 0;
  });
}

function text(found: RunSummary[]): string {
  const columns = COLUMNS.filter(
    ([, cell, isOptional]) => !isOptional || found.some((run) => cell(run) !== ''),
  );
  const head = columns.map(([name]) => name);
  const rows = found.map((run) => columns.map(([, cell]) => cell(run)));
  return `${table(head, rows)}${nextOf(found)}`;
}

/** The head of a column, its cell, and whether it is left out where no run has a value. */
type RunColumn = [name: string, cell: (run: RunSummary) => string | number, isOptional?: true];

const COLUMNS: readonly RunColumn[] = [
  ['run', ({ runId }) => runId],
  ['state', stateWords],
  ['started', ({ createdAt }) => createdAt],
  ['took', ({ executionSummary }) => seconds(executionSummary?.speed.wallSeconds ?? null)],
  ['workstreams', ({ totals }) => totals.workstreams],
  ['completed', ({ totals }) => totals.completed],
  ['taken over', ({ totals }) => (totals.takenOver === 0 ? '' : totals.takenOver), true],
  ['failed', ({ totals }) => totals.failed],
  ['skipped', ({ totals }) => totals.skipped],
  ['label', ({ label }) => label ?? '', true],
  ['commit', ({ checkout }) => shortCommit(checkout), true],
  ['tries again', ({ retryOf }) => retryOf ?? '', true],
];

/** How to go on with the newest run that was interrupted or waits for a usage limit. */
function nextOf(found: RunSummary[]): string {
  const interrupted = found.find(({ state }) => state === 'interrupted');
  return interrupted === undefined ? '' : `\n\n${next(interrupted).join('\n')}`;
}
