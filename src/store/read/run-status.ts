import type { FinalStatus } from '../../domain/agent-result.ts';

/** A stored status. `pending`, `running` or `blocked` in a row of an older system counts as skipped. */
export function runStatus(cell: string): FinalStatus {
  return cell === 'completed' || cell === 'failed' ? cell : 'skipped';
}

/** A sentence on such a status; null for a final one. */
export function unusualRunStatus(cell: string): string | null {
  return cell === runStatus(cell) ? null : `The row says "${cell}".`;
}
