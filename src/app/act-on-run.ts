/** Finds the run that is to be acted on, and asks it. */
import { hostname, userInfo } from 'node:os';
import { ControlError, controlRun } from '../control/client.ts';
import { type ControlAnswer, type ControlRequest, MOST_OF_NAME } from '../control/protocol.ts';
import { removeControlPlace } from '../control/socket-place.ts';
import { getRun, latestRunId, leftSockets, type RunUnderWay, runsUnderWay } from '../store/read/runs.ts';
import type { Connection } from '../store/schema/connection.ts';
import { messageOf } from '../text/error-message.ts';
import { oneLine } from '../text/printable.ts';
import { idOfRun } from './history.ts';
import { Refusal } from './refusal.ts';

export type RunDeed = 'stop' | 'retry';

/** Who asks at a command line: the user, the machine, and the process that asked. */
export function askingUser(): string {
  return oneLine(`${userName()}@${hostname()}, process ${process.pid}`, MOST_OF_NAME);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that has no name.
    return `user ${process.getuid?.() ?? ''}`.trim();
  }
}

/**
 * The run that a name means, or the one that is under way.
 * @param connection null where there is no database.
 * @param workstreams what is to be done to, for the advice in a refusal.
 * @throws Refusal with exit code 4 where it is not under way, 2 where there are several.
 */
export function runToActOn(
  connection: Connection | null,
  name: string | undefined,
  deed: RunDeed,
  workstreams: readonly string[],
): RunUnderWay {
  if (connection === null) throw new Refusal(4, 'There are no runs here. Start one with: millrace run');
  const underWay = runsUnderWay(connection);
  if (name === undefined && underWay.length > 1) throw new Refusal(2, whichOf(underWay));
  const wanted =
    name === undefined ? (underWay[0]?.runId ?? latestRunId(connection)) : idOfRun(connection, name);
  const found = underWay.find(({ runId }) => runId === wanted);
  if (found !== undefined) return found;
  for (const socket of leftSockets(connection)) removeControlPlace(socket);
  throw new Refusal(4, notUnderWay(connection, wanted, deed, workstreams));
}

function whichOf(runs: readonly RunUnderWay[]): string {
  const lines = runs.map(({ runId, label }) => `  ${runId}${label === null ? '' : ` (${label})`}`);
  return `There are ${runs.length} runs under way; name one with --run:\n${lines.join('\n')}`;
}

function notUnderWay(
  connection: Connection,
  runId: string | null,
  deed: RunDeed,
  workstreams: readonly string[],
): string {
  if (runId === null) return 'No run is under way. Start one with: millrace run';
  const { state = 'ended', executionSummary = null } = getRun(connection, runId) ?? {};
  const limit = executionSummary?.waitsForLimit ?? null;
  const stopped = limit === null ? 'was interrupted' : `waits for a usage limit until ${limit.until}`;
  const is = state === 'interrupted' ? stopped : 'has ended';
  if (deed === 'stop') return `${runId} ${is}: nothing of it is under way that could be stopped.`;
  const again = ['millrace run --retry-failed', runId, ...workstreams].join(' ');
  if (state !== 'interrupted') return `${runId} ${is}. To try again what failed in it: ${again}`;
  return `${runId} ${is}. Go on with: millrace run --resume ${runId}. While that is under way, this command can be given again; once it has ended: ${again}`;
}

/** Asks a run. @throws Refusal with exit code 3 where it does not answer, or refuses. */
export async function actOnRun(
  run: RunUnderWay,
  request: Exclude<ControlRequest, { type: 'ping' }>,
): Promise<ControlAnswer> {
  try {
    return await controlRun(run, request);
  } catch (error) {
    if (error instanceof ControlError) throw new Refusal(3, messageOf(error), error);
    throw error;
  }
}
