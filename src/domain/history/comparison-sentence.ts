import type { RunComparison } from './history.ts';

/** Whether something broke that had not failed before, or not any more. */
export const hasBroken = (comparison: Pick<RunComparison, 'new' | 'regressed'>): boolean =>
  comparison.new.total + comparison.regressed.total > 0;

/** "2 new failures, 1 fixed, 3 still failing since ma-run-20260102-030405." */
export function comparisonSentence(comparison: RunComparison): string {
  const { regressed, fixed, flaky, recurring, base } = comparison;
  const counted = (count: number, text: string): string[] => (count === 0 ? [] : [`${count} ${text}`]);
  const broken = [
    ...counted(comparison.new.total, comparison.new.total === 1 ? 'new failure' : 'new failures'),
    ...counted(regressed.total, 'failing again'),
  ];
  const others = [
    ...counted(fixed.total, 'fixed'),
    ...counted(recurring.total, 'still failing'),
    ...counted(flaky.total, 'flaky'),
  ];
  if (broken.length > 0) return `${[...broken, ...others].join(', ')} since ${base.runId}.`;
  const rest = others.length === 0 ? '' : `: ${others.join(', ')}`;
  return `Nothing new broke since ${base.runId}${rest}.`;
}
