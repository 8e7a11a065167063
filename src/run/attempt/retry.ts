/** Whether a workstream that failed is tried again. Pure. */
import type { AttemptRecord } from '../../domain/attempt.ts';
import type { Reason } from '../../domain/failure.ts';
import type { CircuitBreaker, Workstream } from '../../domain/workstream.ts';

/** Another attempt after a pause, or none; `gaveUp` says why not although one was left. */
export type RetryDecision = { again: true; afterSeconds: number } | { again: false; gaveUp: string | null };

/** Failures that the same definition on the same machine has every time, and those that a person caused. */
const LASTING: ReadonlySet<string> = new Set<Reason>([
  'module-not-found',
  'export-not-found',
  'command-not-found',
  'command-not-executable',
  'tool-not-found',
  'tool-unsupported',
  'sandbox-unavailable',
  'tool-not-logged-in',
  'usage-limit',
  'merge-conflict',
  'no-review',
  'cancelled',
  'interrupted',
]);

/** Of those, the ones that a file in the workspace can be the cause of. */
const OF_A_FILE: ReadonlySet<string> = new Set<Reason>(['command-not-found', 'command-not-executable']);

/**
 * Decides after a failed attempt.
 * @param attempts all of them, the failed one last.
 * @param maxCostUsd what all together may cost; null for no limit.
 */
export function decideRetry(
  breaker: CircuitBreaker,
  attempts: readonly AttemptRecord[],
  maxCostUsd: number | null,
): RetryDecision {
  const last = attempts.at(-1);
  // An interrupted attempt does not count against the workstream.
  const made = attempts.filter(({ reason }) => reason !== 'interrupted').length;
  if (last === undefined || made >= breaker.maxAttempts) return { again: false, gaveUp: null };
  const gaveUp =
    lasting(last) ??
    repeated(breaker, attempts, last) ??
    oscillating(breaker, attempts, last) ??
    spent(attempts, maxCostUsd);
  return gaveUp === null ? { again: true, afterSeconds: breaker.cooldownSeconds } : { again: false, gaveUp };
}

/**
 * Whether the next attempt goes on in the workspace of the last one, with the sessions of its tools. After a time limit and
 * an interruption it does; after other failures where the workstream says so, unless the same tests failed twice in a row.
 * @param attempts all of them, the failed one last.
 */
export function goesOn(onRetry: Workstream['onRetry'], attempts: readonly AttemptRecord[]): boolean {
  const last = attempts.at(-1);
  if (last === undefined || onRetry === 'fresh') return false;
  if (last.reason === 'timed-out' || last.reason === 'interrupted') return true;
  if (onRetry !== 'continue') return false;
  const before = attempts.at(-2);
  const isRepeated = last.reason === 'acceptance-failed' && before?.reason === last.reason;
  return !isRepeated || before.pattern !== last.pattern;
}

function lasting({ reason, tool }: AttemptRecord): string | null {
  if (reason === null || !LASTING.has(reason)) return null;
  // A file that one attempt of a tool did not make, the next one may make.
  if (tool !== null && OF_A_FILE.has(reason)) return null;
  return `Another attempt would meet the same ${reason}.`;
}

function repeated(
  { maxErrorRepeats }: CircuitBreaker,
  attempts: readonly AttemptRecord[],
  last: AttemptRecord,
): string | null {
  if (maxErrorRepeats === null) return null;
  const other = attempts.findLastIndex(({ pattern }) => pattern !== last.pattern);
  const count = attempts.length - 1 - other;
  return count >= maxErrorRepeats
    ? `The same error came ${times(count)} in a row (max_error_repeats).`
    : null;
}

function oscillating(
  { oscillationThreshold }: CircuitBreaker,
  attempts: readonly AttemptRecord[],
  { contentHash }: AttemptRecord,
): string | null {
  if (oscillationThreshold === null || contentHash === null) return null;
  const returns = attempts.filter((attempt) => attempt.contentHash === contentHash).length - 1;
  return returns >= oscillationThreshold
    ? `The same content came back ${times(returns)} (oscillation_threshold).`
    : null;
}

function spent(attempts: readonly AttemptRecord[], maxCostUsd: number | null): string | null {
  if (maxCostUsd === null) return null;
  const cost = attempts.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
  return cost >= maxCostUsd
    ? `Its attempts cost $${cost.toFixed(2)} of the $${maxCostUsd.toFixed(2)} they may (max_cost_usd).`
    : null;
}

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);
