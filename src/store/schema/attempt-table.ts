/** `workstream_attempts`: the one description of its columns. */
import { z } from 'zod';
import type { AttemptRecord } from '../../domain/attempt.ts';
import { numberCell, textCell } from './cells.ts';
import { failureCell, writeFailure } from './result-cells.ts';
import { type TableColumn, type SqlValue, tableOf } from './table.ts';

/** An attempt of a workstream. The times are null for one that was never begun. */
export interface StoredAttempt {
  runId: string;
  workstreamId: string;
  attempt: Omit<AttemptRecord, 'pattern' | 'startTime' | 'durationSeconds'> & {
    startTime: string | null;
    durationSeconds: number | null;
  };
}

const column = <Cell extends z.ZodType>(
  read: Cell,
  write: (attempt: StoredAttempt['attempt']) => SqlValue,
): TableColumn<StoredAttempt, Cell> => ({ read, write: ({ attempt }) => write(attempt) });

export const attemptTable = tableOf<StoredAttempt>()('workstream_attempts', {
  run_id: { read: z.string(), write: ({ runId }) => runId },
  workstream_id: { read: z.string(), write: ({ workstreamId }) => workstreamId },
  attempt: column(z.number(), ({ attempt }) => attempt),
  agent_id: column(z.string(), ({ agentId }) => agentId),
  tool: column(textCell, ({ tool }) => tool),
  model: column(textCell, ({ model }) => model),
  reason: column(textCell, ({ reason }) => reason),
  explanation: column(textCell, ({ explanation }) => explanation),
  failure: column(failureCell, ({ failure }) => writeFailure(failure)),
  start_time: column(textCell, ({ startTime }) => startTime),
  duration_seconds: column(numberCell, ({ durationSeconds }) => durationSeconds),
  cost_usd: column(numberCell, ({ costUsd }) => costUsd),
  input_tokens: column(numberCell, ({ inputTokens }) => inputTokens),
  output_tokens: column(numberCell, ({ outputTokens }) => outputTokens),
  content_hash: column(textCell, ({ contentHash }) => contentHash),
  log_file: column(textCell, ({ logFile }) => logFile),
});
