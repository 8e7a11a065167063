/** Undoing what a workstream did that has failed for good. Pure. */
import { describeFailure } from '../domain/failure-message.ts';
import type { StepResult } from '../domain/outcome.ts';
import type { Workstream } from '../domain/workstream.ts';

/**
 * The workstream whose steps undo what this one did, the last action first; null where it names none. Each action has
 * a limit of its own, so that one that hangs does not keep the others from being run.
 * @param limitSeconds for an action, where the workstream names none.
 */
export function compensationOf(workstream: Workstream, limitSeconds: number): Workstream | null {
  if (workstream.compensation.length === 0) return null;
  const limit = workstream.timeoutSeconds ?? limitSeconds;
  const steps = workstream.compensation
    .toReversed()
    .map((step) => ({ ...step, timeoutSeconds: step.timeoutSeconds ?? limit }));
  // Room for each to be ended, which takes the grace.
  const timeoutSeconds = steps.reduce((sum, step) => sum + 2 * step.timeoutSeconds, 60);
  return { ...workstream, steps, timeoutSeconds, acceptanceTests: [], testGates: [], dependsOn: [] };
}

/** What was not undone, in a sentence each. */
export function compensationWarnings(compensation: Workstream, results: readonly StepResult[]): string[] {
  const done = new Set(results.map(({ id }) => id));
  const left = compensation.steps.filter(({ id }) => !done.has(id)).map(({ id }) => id);
  return [
    ...results.flatMap(({ id, failure }) =>
      failure === null ? [] : [`Its ${id} failed: ${describeFailure(failure)}`],
    ),
    ...(left.length === 0 ? [] : [`Not run after it had failed: ${left.join(', ')}.`]),
  ];
}
