import { actOnRun, askingUser, runToActOn } from '../../app/act-on-run.ts';
import { CONTROL_VERSION, type ControlAnswer, DONE } from '../../control/protocol.ts';
import type { RetryArguments, StopArguments } from '../commands/stop.ts';
import { withHistory } from '../history.ts';
import { printJson, printText } from '../print.ts';
import { UsageError } from '../usage-error.ts';

/** Stops workstreams, or the run. The exit code is 0 where all that was asked for is done. */
export const stop = (argv: StopArguments): Promise<number> => act(argv, 'stop');

/** Opens failed workstreams again. The exit code is 0 where each of them is open. */
export const retry = (argv: RetryArguments): Promise<number> => act(argv, 'retry');

async function act(
  { state, run: name, workstream, json }: StopArguments | RetryArguments,
  type: 'stop' | 'retry',
): Promise<number> {
  const workstreams = workstream.map(String);
  if (type === 'retry' && workstreams.length === 0)
    throw new UsageError('Say which to try again: millrace retry ws-api. What failed: millrace errors');
  return withHistory(state, async (connection) => {
    const run = runToActOn(connection, name, type, workstreams);
    const answer = await actOnRun(run, { version: CONTROL_VERSION, type, workstreams, by: askingUser() });
    if (json) await printJson(documentOf(answer));
    else await printText(textOf(answer));
    return exitCodeOf(answer);
  });
}

const documentOf = ({ runId, results, isEnding }: ControlAnswer) => ({
  version: 1,
  run_id: runId,
  ending: isEnding,
  results: results.map(({ workstreamId, did, text }) => ({ workstream_id: workstreamId, did, text })),
});

const textOf = ({ runId, results }: ControlAnswer): string =>
  results.length === 0
    ? `${runId} is ending: nothing more is started, and what is running is stopped.`
    : results.map(({ text }) => text).join('\n');

/** 4 where nothing matched, 1 where something of it was not done. */
function exitCodeOf({ results }: ControlAnswer): number {
  if (results.length > 0 && results.every(({ did }) => did === 'unknown')) return 4;
  return results.every(({ did }) => DONE.has(did)) ? 0 : 1;
}
