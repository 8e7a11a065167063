/** Finds the run to resume or to try again, and refuses where that is not possible. */
import { livenessOf } from '../../os/process-identity.ts';
import {
  findRun,
  latestEnded,
  notEnded,
  readStoredRun,
  type StoredRun,
} from '../../store/read/earlier-run.ts';
import { SILENCE_MS } from '../../store/read/liveness.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { idOfRun, withDatabase } from '../history.ts';
import { Refusal } from '../refusal.ts';

type RunHead = Pick<StoredRun, 'runId' | 'state' | 'process'>;

/** A run by a name that `idOfRun` knows, or `true` for the one that is meant without one. */
export type RunSelector = string | true;

/**
 * The run to resume: the one named, or the latest that did not end.
 * @throws Refusal with exit code 2 for one that is under way, 4 where there is nothing to resume.
 */
export function findInterrupted(database: string, which: RunSelector): StoredRun {
  return withDatabase(database, (connection) => {
    if (connection === null) throw new Refusal(4, nothingToResume(database));
    const head = which === true ? latestInterrupted(connection) : named(connection, which);
    if (head === null) throw new Refusal(4, nothingToResume(database));
    if (head.state === 'alive') throw new Refusal(2, underWay(head, 'resume'));
    if (head.state === 'ended') {
      throw new Refusal(
        4,
        `There is nothing to resume in ${head.runId}: it ended. To run again what failed: millrace run --retry-failed ${head.runId}`,
      );
    }
    return readStoredRun(connection, head);
  });
}

/**
 * The run whose failures are to be tried again: the one named, or the latest that ended.
 * @throws Refusal with exit code 2 for one that is under way, 4 where there is none.
 */
export function findFailed(database: string, which: RunSelector): StoredRun {
  return withDatabase(database, (connection) => {
    const none = `No run has ended in ${database}, so there is nothing to try again.`;
    if (connection === null) throw new Refusal(4, none);
    const head = which === true ? latestEnded(connection) : named(connection, which);
    if (head === null) throw new Refusal(4, none);
    if (head.state === 'alive') throw new Refusal(2, underWay(head, 'try again'));
    return readStoredRun(connection, head);
  });
}

/** The latest that is not alive; one that is, only where there is no other. */
function latestInterrupted(connection: Connection): RunHead | null {
  const all = notEnded(connection);
  return all.find(({ state }) => state === 'interrupted') ?? all[0] ?? null;
}

function named(connection: Connection, name: string): RunHead {
  const runId = idOfRun(connection, name);
  const head = findRun(connection, runId);
  if (head === null) throw new Refusal(4, `There is no run ${runId}. See: millrace runs`);
  return head;
}

const nothingToResume = (database: string): string =>
  `There is nothing to resume in ${database}: no run was interrupted. Start one with: millrace run`;

/** A process of another machine or container can't be asked. */
function underWay({ runId, process }: RunHead, verb: string): string {
  const by = process === null ? '' : ` (process ${process.pid} on ${process.hostname})`;
  const liveness = process === null ? 'alive' : livenessOf(process);
  const elsewhere =
    liveness === 'alive'
      ? ''
      : ` From here that process can't be seen: the run counts as ended once nothing was heard of it for ${SILENCE_MS / 1000} seconds.`;
  return `The run ${runId} is still under way${by}. Wait until it has ended, or end it, to ${verb} it.${elsewhere}`;
}

/** The run whose failures a run that is resumed tries again; null where it is not in the database any more. */
export function findRepeated(database: string, runId: string): StoredRun | null {
  return withDatabase(database, (connection) => {
    const head = connection === null ? null : findRun(connection, runId);
    return connection === null || head === null ? null : readStoredRun(connection, head);
  });
}
