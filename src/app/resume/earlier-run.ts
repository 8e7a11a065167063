/** Finds the run that is to be gone on with, and refuses where that is not possible. */
import type { EarlierRun } from '../../domain/earlier-run.ts';
import { livenessOf, type ProcessIdentity } from '../../os/process-identity.ts';
import type { Connection } from '../../store/schema/connection.ts';
import {
  latestEnded,
  notEnded,
  readEarlierRun,
  type EarlierRunState,
  runStateOf,
} from '../../store/read/earlier-run.ts';
import { SILENCE_MS } from '../../store/read/liveness.ts';
import { isRunId } from '../../run/run-id.ts';
import { withDatabase } from '../history.ts';
import { Refusal } from '../refusal.ts';

/** A run by its id, or `true` for the one that is meant without one. */
export type RunSelector = string | true;

/** A run that another one goes on with. */
export interface EarlierRunLookup {
  run: EarlierRun;
  /** The process that wrote it; null where that is not known. */
  process: ProcessIdentity | null;
}

/**
 * The run to resume: the one named, or the latest that did not end.
 * @throws Refusal with exit code 2 for one that is under way, 4 where there is nothing to resume.
 */
export function findInterrupted(database: string, which: RunSelector): EarlierRunLookup {
  return withDatabase(database, (connection) => {
    if (connection === null) throw new Refusal(4, nothingToResume(database));
    const standing = which === true ? latestInterrupted(connection) : named(connection, which);
    if (standing === null) throw new Refusal(4, nothingToResume(database));
    if (standing.state === 'alive') throw new Refusal(2, underWay(standing, 'resume'));
    if (standing.state === 'ended') {
      throw new Refusal(
        4,
        `There is nothing to resume in ${standing.runId}: it ended. To run again what failed: millrace run --retry-failed ${standing.runId}`,
      );
    }
    return { run: readEarlierRun(connection, standing.runId), process: standing.process };
  });
}

/**
 * The run whose failures are to be tried again: the one named, or the latest that ended.
 * @throws Refusal with exit code 2 for one that is under way, 4 where there is none.
 */
export function findFailed(database: string, which: RunSelector): EarlierRun {
  return withDatabase(database, (connection) => {
    const none = `No run has ended in ${database}, so there is nothing to try again.`;
    if (connection === null) throw new Refusal(4, none);
    const standing = which === true ? latestEnded(connection) : named(connection, which);
    if (standing === null) throw new Refusal(4, none);
    if (standing.state === 'alive') throw new Refusal(2, underWay(standing, 'try again'));
    return readEarlierRun(connection, standing.runId);
  });
}

/** The latest that is not alive; one that is, only where there is no other. */
function latestInterrupted(connection: Connection): EarlierRunState | null {
  const all = notEnded(connection);
  return all.find(({ state }) => state === 'interrupted') ?? all[0] ?? null;
}

function named(connection: Connection, runId: string): EarlierRunState {
  if (!isRunId(runId)) throw new Refusal(2, `"${runId}" is no id of a run, such as ma-run-20260102-030405.`);
  const standing = runStateOf(connection, runId);
  if (standing === null) throw new Refusal(4, `There is no run ${runId}. See: millrace runs`);
  return standing;
}

const nothingToResume = (database: string): string =>
  `There is nothing to resume in ${database}: no run was interrupted. Start one with: millrace run`;

/** A process of another machine or container can't be asked. */
function underWay({ runId, process }: EarlierRunState, verb: string): string {
  const by = process === null ? '' : ` (process ${process.pid} on ${process.hostname})`;
  const liveness = process === null ? 'alive' : livenessOf(process);
  const elsewhere =
    liveness === 'alive'
      ? ''
      : ` From here that process can't be seen: the run counts as ended once nothing was heard of it for ${SILENCE_MS / 1000} seconds.`;
  return `The run ${runId} is still under way${by}. Wait until it has ended, or end it, to ${verb} it.${elsewhere}`;
}
