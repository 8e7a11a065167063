import type { ExecutionSummary } from './run-record.ts';

/** With less work than this, in seconds, what is measured is mostly the overhead of any run. */
export const LEAST_WORK_SECONDS = 5;

/** How many times as fast as one agent a run was; null where that can't be told. One agent is as fast as itself. */
export function speedupOf({
  speed,
  agentsCount,
}: Pick<ExecutionSummary, 'speed' | 'agentsCount'>): number | null {
  if (agentsCount === 1) return speed.busySeconds > 0 ? 1 : null;
  return speed.oneAgentSeconds < LEAST_WORK_SECONDS ? null : speed.speedup;
}
