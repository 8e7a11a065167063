import { nameProcesses } from '../support/left-sentence.ts';
import { markOfRun } from '../support/mark-of-run.ts';
import { OwnedProcesses } from '../support/owned-processes.ts';
import { hasProcessTable } from '../support/process-table.ts';

/**
 * Ends what a run has left after all of its workstreams have ended, such as what a timer started in a thread that had
 * gone on to the next one. Resolves with a sentence for each thing to be told.
 */
export async function endLeftAtEnd(runId: string, graceSeconds: number): Promise<string[]> {
  if (!hasProcessTable) return [];
  const { found, left } = await new OwnedProcesses(markOfRun(runId)).end(graceSeconds, 'everywhere');
  const texts: string[] = [];
  if (found.length > 0)
    texts.push(
      `At the end of the run these of its processes were still alive and were ended: ${nameProcesses(found)}.`,
    );
  if (left.length > 0) texts.push(`These of its processes could not be ended: ${nameProcesses(left)}.`);
  return texts;
}
