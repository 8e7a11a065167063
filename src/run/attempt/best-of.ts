/** Which of several candidates is the best. Pure. */
import type { Candidate } from '../../domain/attempt.ts';
import type { Changes } from '../../domain/changes.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { spendingOf, sumKnown } from '../../domain/tool-report.ts';
import { reportsOf } from './outcome.ts';

type Facts = Omit<Candidate, 'chosen'>;

/** The most important first; each returns less for what is better. */
const CRITERIA: ((candidate: Facts) => number)[] = [
  ({ completed }) => (completed ? 0 : 1),
  ({ accepted }) => (accepted ? 0 : 1),
  ({ testsPassed }) => -testsPassed,
  ({ costUsd }) => costUsd ?? Number.POSITIVE_INFINITY,
  ({ changedLines }) => changedLines ?? Number.POSITIVE_INFINITY,
];

/**
 * Index of the best: completed before failed, accepted before not, then more tests passed, less cost (what is not known
 * comes last), fewer lines changed; the first of equals. Time decides nothing: candidates that run at the same time slow
 * each other. -1 for none.
 */
export function chooseBest(candidates: readonly Facts[]): number {
  let best = -1;
  for (const [index, candidate] of candidates.entries()) {
    const other = candidates[best];
    if (other === undefined || isBetter(candidate, other)) best = index;
  }
  return best;
}

function isBetter(one: Facts, other: Facts): boolean {
  for (const criterion of CRITERIA) {
    const [a, b] = [criterion(one), criterion(other)];
    if (a !== b) return a < b;
  }
  return false;
}

/** What a candidate is judged by. */
export function candidateFacts(
  tool: string,
  who: Pick<Facts, 'attempt' | 'agentId'>,
  outcome: Outcome,
  changes: Changes | null,
): Facts {
  const { failure, tests } = outcome;
  const passed = tests.filter(({ status }) => status === 'passed').length;
  return {
    tool,
    ...who,
    completed: failure === null,
    accepted: failure === null && passed > 0,
    testsPassed: passed,
    costUsd: spendingOf(reportsOf(outcome)).costUsd,
    durationSeconds: outcome.durationSeconds,
    changedLines: sumKnown(
      (changes?.files ?? []).flatMap(({ linesAdded, linesRemoved }) => [linesAdded, linesRemoved]),
    ),
    reason: failure?.reason ?? null,
    commit: changes?.head ?? null,
    logFile: outcome.logFile,
  };
}
