import { endLeftProcesses, type LeftProcesses } from '../os/end-remaining-processes.ts';
import { nameProcesses } from '../os/owned-processes.ts';
import type { ProcessIdentity } from '../os/process-identity.ts';

/** A run whose process was killed. */
interface KilledRun {
  runId: string;
  process: ProcessIdentity;
  /** The run in a sentence. */
  name: string;
}

/**
 * Ends what a killed process of a run had started: it would work beside what is started now. Resolves with a sentence
 * for a person; null where nothing is to be told.
 */
export async function endLeft(
  { runId, process, name }: KilledRun,
  graceSeconds: number,
): Promise<string | null> {
  return endedSentence(await endLeftProcesses(runId, process, graceSeconds), name);
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
      return `Whether ${run} left processes behind was not looked at: this system does not tell.`;
    case 'above-us':
      return `Processes were left by ${run} that this one was started by; they were not ended.`;
  }
}
