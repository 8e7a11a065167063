import type { LiveWorkstream, RunSummary } from '../../domain/run-record.ts';
import { liveCounts, liveWorkstreams } from '../../store/read/live/workstreams.ts';
import { percent, seconds } from '../../text/format.ts';
import type { StatusArguments } from '../commands/status.ts';
import { withRun } from '../history.ts';
import { next, printJson, printText, table } from '../print.ts';

const SHOWN = 64;

/** Shows what a run is doing now, or how it ended. */
export async function status(argv: StatusArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    const counts = liveCounts(connection, run.runId);
    const { shown } = liveWorkstreams(connection, run.runId, SHOWN);
    const running = shown.filter((workstream) => workstream.status === 'running');
    if (argv.json) await printJson({ version: 1, run, counts, running });
    else await printText(text(run, counts, running));
    return 0;
  });
}

function text(run: RunSummary, counts: ReturnType<typeof liveCounts>, running: LiveWorkstream[]): string {
  const { workstreams, completed, failed, skipped } = run.totals;
  const ended = `${completed} completed, ${failed} failed, ${skipped} skipped`;
  const head = `${run.runId}: ${run.state}, started ${run.createdAt}`;
  if (run.state !== 'running')
    return [
      head,
      `${workstreams} workstreams: ${ended}`,
      `See: millrace show ${run.runId}`,
      ...next(run),
    ].join('\n');
  const live = `${counts.running} running, ${counts.pending} ready, ${counts.blocked} waiting for others`;
  const rows = running.map(({ agentId, workstreamId, since, fraction, activity }) => [
    agentId,
    workstreamId,
    since === null ? null : seconds(Math.max(0, Date.now() - Date.parse(since)) / 1000),
    percent(fraction),
    activity ?? '',
  ]);
  return `${head}\n${workstreams} workstreams: ${ended}, ${live}\n\n${table(['agent', 'workstream', 'for', 'progress', 'doing'], rows)}`;
}
