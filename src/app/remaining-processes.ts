/** Ends what processes of runs have left behind, and says so. */
import {
  endRemainingProcesses,
  type LeftProcesses,
  nameProcesses,
  OwnedProcesses,
  runMark,
} from '../os/owned-processes.ts';
import { isGone, type ProcessIdentity } from '../os/process-identity.ts';
import { hasProcessTable } from '../os/process-table.ts';
import type { RunLocks } from '../store/write/run-locks.ts';
import { messageOf } from '../text/error-message.ts';

/** A run whose process was killed. */
interface KilledRun {
  runId: string;
  process: ProcessIdentity;
  /** How a sentence names the run. */
  name: string;
}

/**
 * Ends what the killed process of a run had started: it would work beside what is started now. Resolves with a sentence
 * for a person; null where there is nothing to say.
 */
export async function endRemainingOf(
  { runId, process, name }: KilledRun,
  graceSeconds: number,
): Promise<string | null> {
  return endedSentence(await endRemainingProcesses(runId, process, graceSeconds), name);
}

interface LockHolder {
  runId: string;
  locks: RunLocks;
  /** How long its processes get to end by themselves, in seconds. */
  graceSeconds: number;
}

/**
 * Ends, as far as that is possible, what a run left whose process is gone, and then releases its locks. Resolves with a
 * sentence for a person; null where there is nothing to say. Never rejects.
 */
export async function releaseLocksOf({ runId, locks, graceSeconds }: LockHolder): Promise<string | null> {
  const process = locks.leftBy(runId);
  if (process === null) return null;
  const { pid, hostname } = process;
  const name = `${runId}, whose process ${pid} was killed,`;
  try {
    if (isGone(process)) return await endRemainingOf({ runId, process, name }, graceSeconds);
    return `Process ${pid} of ${runId} on ${hostname} has given no sign of life: its locks are taken over. Whether anything that it started is still running can't be seen from here.`;
  } catch (error) {
    const why = messageOf(error);
    return `What ${name} left could not be ended: ${why}`;
  } finally {
    locks.releaseLeft(runId, process);
  }
}

/**
 * Ends what a run has left after all of its workstreams have ended, such as what a timer started in a thread that had
 * gone on to the next one. Resolves with a sentence for each thing that a person should know.
 */
export async function endRemainingAtEnd(runId: string, graceSeconds: number): Promise<string[]> {
  if (!hasProcessTable) return [];
  const { found, left } = await new OwnedProcesses(runMark(runId)).end(graceSeconds, 'everywhere');
  const texts: string[] = [];
  if (found.length > 0)
    texts.push(
      `At the end of the run these of its processes were still alive and were ended: ${nameProcesses(found)}.`,
    );
  if (left.length > 0) texts.push(`These of its processes could not be ended: ${nameProcesses(left)}.`);
  return texts;
}

function endedSentence(found: LeftProcesses, run: string): string | null {
  switch (found.kind) {
    case 'none':
      return null;
    case 'ended': {
      const were =
        found.found.length === 1
          ? `A process of ${run} was`
          : `${found.found.length} processes of ${run} were`;
      const ended = `${were} still alive and ended: ${nameProcesses(found.found)}`;
      return found.left.length === 0
        ? `${ended}.`
        : `${ended}; these could not be: ${nameProcesses(found.left)}.`;
    }
    case 'not-looked-for':
      return `Whether ${run} left processes behind is not known: this system does not list processes.`;
    case 'above-us':
      return `Processes were left by ${run} that this one was started by; they were not ended.`;
  }
}
