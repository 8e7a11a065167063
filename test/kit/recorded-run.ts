/** Recorded runs for tests: real databases with results of which only the interesting part is named. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { RunEnd } from '../../src/domain/recorder.ts';
import type { EventOf, RunEvent } from '../../src/domain/run-event.ts';
import type { ExecutionSummary } from '../../src/domain/run-record.ts';
import type { Connection } from '../../src/store/schema/connection.ts';
import { openDatabase } from '../../src/store/schema/database.ts';
import { SqliteRecorder } from '../../src/store/write/recorder.ts';
import { completedResult, type ResultFields } from './completed-result.ts';
import { executionSummary } from './consolidated-result.ts';
import { workstream } from './definitions.ts';

export const RUN = 'ma-run-20260102-030405';
export const START = '2026-01-02T03:04:05.000Z';

/** A database that is closed when the test ends. */
export function opened(folder: string): Connection {
  const connection = openDatabase(databaseIn(folder));
  onTestFinished(() => void connection.close());
  return connection;
}

export const rowsOf = (connection: Connection, sql: string): unknown[] => connection.prepare(sql).all();

export const databaseIn = (folder: string): string => join(folder, '.state', 'multi_agent_consolidated.db');

/** A completed result of `agent-1` that took a second. */
export const result = (workstreamId: string, fields: ResultFields = {}): AgentResult =>
  completedResult(workstreamId, { runId: RUN, ...fields });

/** A failed result with one error. */
export function failed(
  workstreamId: string,
  message: string,
  fields: Parameters<typeof result>[1] = {},
): AgentResult {
  return result(workstreamId, {
    status: 'failed',
    reason: 'thrown',
    explanation: message,
    failure: { reason: 'thrown', how: 'thrown', thrown: { name: 'Error', message } },
    errors: [{ type: 'thrown', message }],
    stack: `${message}\n    at f (/a/b.js:1:1)`,
    logFile: `.state/logs/${workstreamId}.log`,
    ...fields,
  });
}

/** A workstream that no agent ran. */
export function skipped(workstreamId: string, fields: Parameters<typeof result>[1] = {}): AgentResult {
  return result(workstreamId, {
    agentId: 'coordinator',
    status: 'skipped',
    startTime: null,
    endTime: null,
    durationSeconds: null,
    cpuSeconds: null,
    cpuWaitSeconds: null,
    attempts: 0,
    reason: 'dependency-failed',
    explanation: 'It needs "ws-0", which failed.',
    failure: { reason: 'dependency-failed', dependency: 'ws-0', detail: 'failed' },
    ...fields,
  });
}

export const finished = (given: AgentResult): RunEvent => ({ type: 'workstream-finished', result: given });

/** One that an agent has begun. */
export const begins = (
  workstreamId: string,
  fields: Partial<EventOf<'workstream-started'>> = {},
): RunEvent => ({
  type: 'workstream-started',
  workstreamId,
  title: 'T',
  agentId: 'agent-1',
  attempt: 1,
  queued: false,
  at: '2026-01-02T03:04:06.000Z',
  expectedSeconds: null,
  ...fields,
});

export function started(ids: readonly string[], fields: Partial<EventOf<'run-started'>> = {}): RunEvent {
  return {
    type: 'run-started',
    version: 1,
    resumed: null,
    runId: RUN,
    at: START,
    agents: ['agent-1', 'agent-2'],
    total: ids.length,
    workstreams: ids.map((id) => workstream(id, [])),
    expectedSeconds: null,
    ...fields,
  };
}

export const SUMMARY: ExecutionSummary = executionSummary({
  agentsCount: 2,
  speed: {
    wallSeconds: 2,
    busySeconds: 3,
    oneAgentSeconds: 3,
    overheadSeconds: 0.5,
    criticalPathSeconds: 1,
    criticalPath: ['ws-1'],
    reservedSeconds: null,
    speedup: 1.5,
    limitSeconds: 1.5,
    efficiency: 0.75,
  },
  tests: { total: 0, passed: 0, failed: 0, manual: 0 },
  overhead: { storeSeconds: 0.01, consolidateSeconds: 0.02 },
});

export function end(fields: Partial<RunEnd> = {}): RunEnd {
  const at = '2026-01-02T03:05:00.000Z';
  return { runId: RUN, at, state: 'ended', summary: SUMMARY, recommendations: ['Run it again.'], ...fields };
}

/** Records a whole run in one go. */
export function record(
  connection: Connection,
  results: readonly AgentResult[],
  fields: Partial<EventOf<'run-started'>> = {},
): void {
  const runId = fields.runId ?? RUN;
  const recorder = new SqliteRecorder(connection);
  recorder.take([
    started(
      results.map(({ workstreamId }) => workstreamId),
      fields,
    ),
  ]);
  recorder.take(results.map((given) => finished({ ...given, runId })));
  recorder.finish(end({ runId }));
}
