import type { FinalStatus } from '../../domain/agent-result.ts';

/** A stored status. What an older system left at `pending`, `running` or `blocked` was not done: it counts as skipped. */
export function runStatus(cell: string): FinalStatus {
  return cell === 'completed' || cell === 'failed' ? cell : 'skipped';
}

/** Says so of such a row; null for a status that is final. */
export function unusualRunStatus(cell: string): string | null {
  return cell === runStatus(cell) ? null : `The row says "${cell}".`;
}
