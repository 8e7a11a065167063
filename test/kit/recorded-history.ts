/** Histories of known truth in a real database, recorded as runs record themselves. */
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { AttemptRecord } from '../../src/domain/attempt.ts';
import type { Connection } from '../../src/store/schema/connection.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { end, failed, finished, result, started } from './recorded-run.ts';
import type { SyntheticRun } from './synthetic-history.ts';

export function recordHistory(connection: Connection, runs: readonly SyntheticRun[]): void {
  for (const run of runs) recordSynthetic(connection, run);
}

function recordSynthetic(connection: Connection, { run, machine, results }: SyntheticRun): void {
  const { runId, at, label, commit, isDirty } = run;
  const recorder = new SqliteRecorder(connection);
  recorder.claim(runId, at, { options: null, retryOf: null, label });
  recorder.take([
    started(
      results.map(({ workstreamId }) => workstreamId),
      { runId, at },
    ),
    ...(commit === null
      ? []
      : [{ type: 'checkout-read' as const, checkout: { commit, branch: 'main', isDirty } }]),
    ...results.map((each) => finished({ ...resultOf(each), runId })),
  ]);
  recorder.finish(end({ runId }));
  recorder.close();
  connection.prepare('UPDATE consolidated_runs SET hostname = ? WHERE run_id = ?').run(machine, runId);
}

function resultOf({
  workstreamId,
  agentId,
  definitionHash,
  seconds,
  error,
  healed,
}: SyntheticRun['results'][number]): AgentResult {
  const fields = { agentId, definitionHash, durationSeconds: seconds, cpuWaitSeconds: 0 };
  if (error !== null) return failed(workstreamId, error, fields);
  if (healed === null) return result(workstreamId, fields);
  return result(workstreamId, {
    ...fields,
    attempts: 2,
    metadata: { earlierAttempts: [failedAttempt(healed)] },
  });
}

function failedAttempt(message: string): AttemptRecord {
  return {
    attempt: 1,
    agentId: 'agent-1',
    tool: null,
    model: null,
    reason: 'thrown',
    explanation: message,
    failure: { reason: 'thrown', how: 'thrown', thrown: { name: 'Error', message } },
    pattern: null,
    startTime: '2026-01-02T03:04:06.000Z',
    durationSeconds: 1,
    costUsd: null,
    inputTokens: null,
    outputTokens: null,
    contentHash: null,
    logFile: null,
  };
}
