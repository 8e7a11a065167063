import type { RunSummary } from '../../domain/run-record.ts';
import { listRuns } from '../../store/read/runs.ts';
import { seconds } from '../../text/format.ts';
import type { RunsArguments } from '../commands/runs.ts';
import { withHistory } from '../history.ts';
import { next, printJson, printText, table } from '../print.ts';
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
  const rows = found.map(({ runId, state, createdAt, totals, executionSummary, retryOf }) => [
    runId,
    state,
    createdAt,
    seconds(executionSummary?.speed.wallSeconds ?? null),
    totals.workstreams,
    totals.completed,
    totals.failed,
    totals.skipped,
    retryOf ?? '',
  ]);
  const head = [
    'run',
    'state',
    'started',
    'took',
    'workstreams',
    'completed',
    'failed',
    'skipped',
    'tries again',
  ];
  return `${table(head, rows)}${nextOf(found)}`;
}

/** How to go on with the newest run that was interrupted. */
function nextOf(found: RunSummary[]): string {
  const interrupted = found.find(({ state }) => state === 'interrupted');
  return interrupted === undefined ? '' : `\n\n${next(interrupted).join('\n')}`;
}
