/** Who lends agents through a queue. */
import {
  closeConnection,
  openConnection,
  QueueAddressProblem,
  shownAddress,
} from '../../engine/queue/connection.ts';
import { type RemovedRuns, removeAbandonedRuns } from '../../engine/queue/coordinator/abandoned-runs.ts';
import { type HostsSeen, readHosts } from '../../engine/queue/hosts.ts';
import { PROTOCOL } from '../../engine/queue/protocol.ts';
import { QueueKeyProblem, readQueueKey } from '../../engine/queue/sealing.ts';
import { messageOf } from '../../text/error-message.ts';
import { Refusal } from '../refusal.ts';

export interface WorkersRequest {
  queue: string;
  keyFile: string | null;
  caFile: string | null;
  /** For how long nobody has gone on with runs whose jobs are removed, in seconds; null to remove none. */
  pruneSeconds: number | null;
}

export interface WorkersSeen extends HostsSeen {
  /** What this version speaks. */
  protocol: number;
  /** What was removed; null where nothing was to be. */
  pruned: RemovedRuns | null;
}

/** How long Redis may take to answer for the first time. */
const CONNECT_MS = 5_000;

/** @throws Refusal where Redis can't be asked. */
export async function workersOf({
  queue,
  keyFile,
  caFile,
  pruneSeconds,
}: WorkersRequest): Promise<WorkersSeen> {
  try {
    const key = readQueueKey(keyFile);
    const redis = openConnection({ url: queue, caFile }, 'workers');
    let why = 'it does not answer';
    redis.on('error', (error: Error) => {
      why = messageOf(error);
    });
    let timer: NodeJS.Timeout | undefined;
    // What was asked of a connection that never came about is not answered, not even when that is given up.
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(why)), CONNECT_MS);
    });
    try {
      await Promise.race([redis.ping(), late]);
      clearTimeout(timer);
      const pruned =
        pruneSeconds === null ? null : await removeAbandonedRuns({ redis, key }, pruneSeconds * 1000, null);
      return { ...(await readHosts(redis, key)), protocol: PROTOCOL, pruned };
    } catch (error) {
      throw new Refusal(2, `Redis at ${shownAddress(queue)} can't be asked: ${messageOf(error)}.`);
    } finally {
      clearTimeout(timer);
      closeConnection(redis);
    }
  } catch (error) {
    if (error instanceof QueueKeyProblem || error instanceof QueueAddressProblem)
      throw new Refusal(2, error.message);
    throw error;
  }
}
