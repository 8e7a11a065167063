/** `agent_results`: the one description of its columns. */
import { z } from 'zod';
import type { AgentResult, ResultMetadata } from '../../domain/agent-result.ts';
import { type Spending, spendingOf, sumKnown } from '../../domain/tool-report.ts';
import { isoTime, numberCell, textCell } from './cells.ts';
import {
  errorsCell,
  failureCell,
  metadataCell,
  testsCell,
  textsCell,
  writeFailure,
  writeList,
  writeMetadata,
  writeTests,
} from './result-cells.ts';
import { type TableColumn, type SqlValue, tableOf } from './table.ts';

/** A result, and the hash of the definition that was run; null where it could not be. */
export interface StoredResult {
  result: AgentResult;
  definitionHash: string | null;
}

const column = <Cell extends z.ZodType>(
  read: Cell,
  write: (result: AgentResult) => SqlValue,
): TableColumn<StoredResult, Cell> => ({ read, write: ({ result }) => write(result) });

const timeCell = textCell.transform(isoTime);

/** To add a column: a migration, a line here, and, where a result has it, a line in `readResults`. */
export const resultTable = tableOf<StoredResult>()('agent_results', {
  run_id: column(z.string(), ({ runId }) => runId),
  agent_id: column(textCell, ({ agentId }) => agentId),
  workstream_id: column(z.string(), ({ workstreamId }) => workstreamId),
  status: column(z.string(), ({ status }) => status),
  start_time: column(timeCell, ({ startTime }) => startTime),
  end_time: column(timeCell, ({ endTime }) => endTime),
  duration_seconds: column(numberCell, ({ durationSeconds }) => durationSeconds),
  files_modified: column(textsCell, ({ filesModified }) => writeList(filesModified)),
  commits_created: column(textsCell, ({ commitsCreated }) => writeList(commitsCreated)),
  errors: column(errorsCell, ({ errors }) => writeList(errors)),
  warnings: column(textsCell, ({ warnings }) => writeList(warnings)),
  test_results: column(testsCell, ({ testResults }) => writeTests(testResults)),
  metadata: column(metadataCell, ({ metadata }) => writeMetadata(metadata)),
  title: column(textCell, ({ metadata }) => metadata.title),
  /** In rows of other versions also a word that is no reason of this one. */
  reason: column(textCell, ({ reason }) => reason),
  explanation: column(textCell, ({ explanation }) => explanation),
  failure: column(failureCell, ({ failure }) => writeFailure(failure)),
  cpu_seconds: column(numberCell, ({ cpuSeconds }) => cpuSeconds),
  cpu_wait_seconds: column(numberCell, ({ cpuWaitSeconds }) => cpuWaitSeconds),
  /** Null in rows of the older system. */
  attempts: column(numberCell, ({ attempts }) => attempts),
  log_file: column(textCell, ({ logFile }) => logFile),
  has_output: column(numberCell, ({ metadata }) => (hasOutput(metadata) ? 1 : 0)),
  tool: column(textCell, ({ metadata }) => metadata.tools.at(-1)?.tool ?? null),
  model: column(textCell, ({ metadata }) => metadata.tools.at(-1)?.model ?? null),
  cost_usd: column(numberCell, ({ metadata }) => spent(metadata, 'costUsd')),
  input_tokens: column(numberCell, ({ metadata }) => spent(metadata, 'inputTokens')),
  output_tokens: column(numberCell, ({ metadata }) => spent(metadata, 'outputTokens')),
  branch: column(textCell, ({ metadata }) => metadata.changes?.branch ?? null),
  merge_status: column(textCell, ({ metadata }) => metadata.merge?.status ?? null),
  definition_hash: { read: textCell, write: ({ definitionHash }) => definitionHash },
});

const hasOutput = ({ output, metrics }: ResultMetadata): boolean =>
  output !== null || Object.keys(metrics).length > 0;

/** Of all attempts together. Most workstreams use no tool. */
function spent({ tools, earlierAttempts }: ResultMetadata, what: keyof Spending): number | null {
  if (tools.length === 0 && earlierAttempts.length === 0) return null;
  return sumKnown([spendingOf(tools)[what], ...earlierAttempts.map((attempt) => attempt[what])]);
}
