/** What a run still has to do, of everything that it was prepared with. */
import type { Resumed as RunResumed } from '../domain/run-event.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { Prepared } from './prepare.ts';

/** What is told of a run that goes on. */
export function resumedOf({
  run,
  resumption: { counts, discarded },
  afterDeath,
}: NonNullable<Prepared['resumed']>): RunResumed {
  return { counts, discarded, afterDeath, results: run.results.length, inHand: run.inHand.length };
}

/** Of a run that is resumed those that are left of it. */
export function toRun({ plan, resumed }: Prepared): Workstream[] {
  if (resumed === null) return plan.workstreams;
  const ids = new Set([...resumed.resumption.toRun, ...resumed.resumption.inheritance.left]);
  return plan.workstreams.filter(({ id }) => ids.has(id));
}

/** Of all of it together. */
export function expectedSecondsOf(prepared: Prepared): number {
  const { plan } = prepared;
  const ids = new Set(toRun(prepared).map(({ id }) => id));
  return plan.expectedSeconds.reduce(
    (sum, seconds, index) => sum + (ids.has(plan.workstreams[index]?.id ?? '') ? seconds : 0),
    0,
  );
}
