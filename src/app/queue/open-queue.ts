/** Opens the queue of a run, where it has one: everything that keeps it from being used is said before anything is run. */
import type { QueueRun } from '../../engine/queue/coordinator/queue-run.ts';
import { storedQueueRun } from '../../store/write/queue-run.ts';
import { messageOf } from '../../text/error-message.ts';
import { whyItStaysHere } from '../forecast/stays-here.ts';
import { withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { type Prepared, workstreamsToRun } from '../prepare.ts';
import { Refusal } from '../refusal.ts';
import { isRemote } from '../reserving.ts';

interface QueueInput {
  options: RunOptions;
  paths: Paths;
  prepared: Prepared;
}

/** Null for a run on this machine. @throws Refusal with exit code 2 for a queue, or workstreams, that can't be used. */
export async function openQueue({ options, paths, prepared }: QueueInput): Promise<QueueRun | null> {
  const { resumed } = prepared;
  const earlier =
    resumed === null
      ? null
      : withDatabase(paths.database, (connection) =>
          connection === null ? null : storedQueueRun(connection, resumed.run.runId),
        );
  const { queue: url } = options;
  if (url === null && earlier !== null)
    throw new Refusal(
      2,
      `Hosts of a queue may still execute workstreams of ${resumed?.run.runId ?? 'this run'}. Give its --queue to go on with what they have, or --queue none to execute the rest here.`,
    );
  if (url === null || !isRemote(options)) return null;
  const stays = whyItStaysHere(workstreamsToRun(prepared), options);
  if (stays !== null) throw new Refusal(2, stays);
  const { QueueRun } = await import('../../engine/queue/coordinator/queue-run.ts');
  try {
    return await QueueRun.open({
      url,
      caFile: options.queueCa,
      keyFile: options.queueKeyFile,
      source: options.source,
      waitSeconds: options.waitForWorkers ?? 0,
      project: paths.cwd,
      excluded: [paths.state, paths.reports],
      setup: options.project.worktree.setup,
      redact: options.project.redact,
      logLevel: options.logLevel,
      workstreams: workstreamsToRun(prepared),
      earlier,
      keepsSource: resumed?.afterDeath ?? false,
    });
  } catch (error) {
    throw new Refusal(2, messageOf(error), error);
  }
}
