import type { HostPerformance, LiveWorkstream, RunSummary } from '../../domain/run-record.ts';
import { hostsOfRun } from '../../store/read/agents.ts';
import { parkedTools } from '../../store/read/live/parked-tools.ts';
import { liveCounts, liveWorkstreams } from '../../store/read/live/workstreams.ts';
import { percent, seconds } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { StatusArguments } from '../commands/status.ts';
import { withRun } from '../history.ts';
import { hostsText, next, printJson, printText, stateWords, table } from '../print.ts';

const SHOWN = 64;
/** Characters of a tool's name and of what it says. */
const NAME = 100;
const WHY = 300;

/** Shows what a run is doing now, or how it ended. */
export async function status(argv: StatusArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    const counts = liveCounts(connection, run.runId);
    const { shown } = liveWorkstreams(connection, run.runId, SHOWN);
    const running = shown.filter((workstream) => workstream.status === 'running');
    const parked = run.state === 'ended' ? [] : parkedTools(connection);
    const hosts = hostsOfRun(connection, run.runId);
    const now = { counts, running, parked, hosts };
    if (argv.json)
      await printJson({ version: 1, run, ...now, hosts: hosts.length === 0 ? undefined : hosts });
    else await printText(text(run, now));
    return 0;
  });
}

/** What a run is doing. */
interface Now {
  counts: ReturnType<typeof liveCounts>;
  running: LiveWorkstream[];
  parked: ReturnType<typeof parkedTools>;
  /** None where everything is executed on this machine. */
  hosts: HostPerformance[];
}

function text(run: RunSummary, { counts, running, parked, hosts }: Now): string {
  const { workstreams, completed, failed, skipped } = run.totals;
  const ended = `${completed} completed, ${failed} failed, ${skipped} skipped`;
  const head = `${run.runId}: ${stateWords(run)}, started ${run.createdAt}`;
  const waits = parked.map(parkedText);
  if (run.state !== 'running')
    return [
      head,
      `${workstreams} workstreams: ${ended}`,
      ...waits,
      ...hostsText(hosts),
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
  const top = [head, `${workstreams} workstreams: ${ended}, ${live}`, ...waits].join('\n');
  const doing = table(['agent', 'workstream', 'for', 'progress', 'doing'], rows);
  return [top, ...hostsText(hosts), doing].join('\n\n');
}

function parkedText({ tool, until, why }: Now['parked'][number]): string {
  const left = seconds(Math.max(0, Date.parse(until) - Date.now()) / 1000);
  return `${oneLine(tool, NAME)} waits for its usage limit until ${until}, ${left} from now: ${oneLine(why, WHY)}`;
}
