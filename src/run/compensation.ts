import type { Workstream } from '../domain/workstream.ts';

/** The workstream whose steps undo what this one did, the last action first; null where it names none. */
export function compensationOf(workstream: Workstream): Workstream | null {
  if (workstream.compensation.length === 0) return null;
  return {
    ...workstream,
    steps: workstream.compensation.toReversed(),
    acceptanceTests: [],
    dependsOn: [],
  };
}
