/** Which of several candidates are better than others. Pure. */
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
 * Their indices, that of the best first: completed before failed, accepted before not, then more tests passed, less cost
 * (what is not known comes last), fewer lines changed; of equals the first. Time decides nothing: candidates that run at
 * the same time slow each other.
 */
export function rankCandidates(candidates: readonly Facts[]): number[] {
  const ranked = [...candidates.entries()].toSorted(([, one], [, other]) => compare(one, other));
  return ranked.map(([index]) => index);
}

function compare(one: Facts, other: Facts): number {
  for (const criterion of CRITERIA) {
    const [a, b] = [criterion(one), criterion(other)];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
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
