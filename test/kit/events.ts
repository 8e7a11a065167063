/** Events of a made-up run, with every field that a test does not care about filled in. */
import { type AgentResult, COORDINATOR } from '../../src/domain/agent-result.ts';
import { failedOutcome } from '../../src/domain/outcome.ts';
import type { EventOf, RunEvent } from '../../src/domain/run-event.ts';
import { completedResult, type ResultFields } from './completed-result.ts';
import { runStep, workstream } from './definitions.ts';

export const RUN = 'ma-run-20260102-030405';
/** When the run started, in milliseconds. */
export const START = Date.parse('2026-01-02T03:04:05.000Z');

/** The time `seconds` after the start of the run, as events have it. */
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

export function runStarted(
  total: number,
  agents: number,
  fields: Partial<EventOf<'run-started'>> = {},
): RunEvent {
  return {
    type: 'run-started',
    version: 1,
    resumed: null,
    runId: RUN,
    at: at(0),
    agents: Array.from({ length: agents }, (_, index) => `agent-${index + 1}`),
    total,
    workstreams: Array.from({ length: total }, (_, index) =>
      workstream(`ws-${index + 1}`, [runStep('true')]),
    ),
    expectedSeconds: null,
    ...fields,
  };
}

/** One that was queued and takes longer than a moment. */
export const begun = (workstreamId: string, agent: number, seconds: number): EventOf<'workstream-begun'> => ({
  type: 'workstream-begun',
  workstreamId,
  title: workstreamId,
  agentId: `agent-${agent}`,
  attempt: 1,
  at: at(seconds),
  expectedSeconds: null,
});

export function started(
  workstreamId: string,
  agent: number,
  seconds: number,
  fields: Partial<EventOf<'workstream-started'>> = {},
): RunEvent {
  return {
    type: 'workstream-started',
    workstreamId,
    title: workstreamId,
    agentId: `agent-${agent}`,
    attempt: 1,
    queued: false,
    at: at(seconds),
    expectedSeconds: null,
    ...fields,
  };
}

export function progress(workstreamId: string, agent: number, fraction: number | null, text = ''): RunEvent {
  return { type: 'workstream-progress', workstreamId, agentId: `agent-${agent}`, fraction, text };
}

export const result = (workstreamId: string, { metadata, ...fields }: ResultFields = {}): AgentResult =>
  completedResult(workstreamId, {
    runId: RUN,
    startTime: at(0),
    endTime: at(1),
    cpuWaitSeconds: 0,
    metadata: { title: workstreamId, ...metadata },
    ...fields,
  });

export function completed(workstreamId: string, agent: number, seconds = 1): RunEvent {
  return {
    type: 'workstream-finished',
    result: result(workstreamId, { agentId: `agent-${agent}`, durationSeconds: seconds }),
  };
}

export function failed(workstreamId: string, agent: number, explanation: string, seconds = 1): RunEvent {
  return {
    type: 'workstream-finished',
    result: result(workstreamId, {
      agentId: `agent-${agent}`,
      durationSeconds: seconds,
      status: 'failed',
      reason: 'exit-non-zero',
      explanation,
    }),
  };
}

/** One that no agent ran. */
export function skipped(workstreamId: string, explanation = 'It needs "ws-1", which failed.'): RunEvent {
  return {
    type: 'workstream-finished',
    result: result(workstreamId, {
      agentId: COORDINATOR,
      startTime: null,
      endTime: null,
      durationSeconds: null,
      status: 'skipped',
      reason: 'dependency-failed',
      explanation,
    }),
  };
}

export function runEnded(exitCode: number, seconds: number): RunEvent {
  return {
    type: 'run-ended',
    runId: RUN,
    at: at(seconds),
    exitCode,
    totals: {
      workstreams: 3,
      completed: 1,
      failed: 1,
      skipped: 1,
      takenOver: 0,
      savedSeconds: 0,
      filesModified: 0,
      commits: 0,
      errors: 1,
      warnings: 0,
    },
    report: '/home/ann/reports/report.md',
    page: '/home/ann/reports/report.html',
    database: '/home/ann/.state/records.db',
  };
}

export const sessionBegan = (workstreamId: string): EventOf<'session-began'> => ({
  type: 'session-began',
  workstreamId,
  session: {
    stepId: 'tool',
    attempt: 1,
    definitionHash: 'abc',
    tool: 'claude',
    sessionId: '11111111-2222-4333-8444-555555555555',
    folder: '/project/.state/worktrees/run/ws-1-1',
  },
});

/** The second candidate of a workstream, which completed or failed for this reason. */
export function candidateEnded(
  workstreamId: string,
  reason: 'no-changes' | null = null,
): EventOf<'candidate-ended'> {
  const span = { startedAt: START, endedAt: START + 20_000, durationSeconds: 20 };
  const failed = failedOutcome({ reason: 'no-changes', scope: ['a.txt'] }, span, null);
  return {
    type: 'candidate-ended',
    workstreamId,
    definitionHash: 'abc',
    candidate: {
      facts: {
        tool: 'codex',
        attempt: 2,
        agentId: 'agent-1',
        completed: reason === null,
        accepted: reason === null,
        testsPassed: 3,
        costUsd: reason === null ? 0.5 : null,
        durationSeconds: 20,
        changedLines: 12,
        reason,
        commit: 'c0ffee0000000000000000000000000000000000',
        logFile: null,
      },
      outcome: reason === null ? { ...failed, status: 'completed', failure: null } : failed,
      changes: null,
      outsideScope: [],
    },
  };
}

export const candidateReviewed = (
  workstreamId: string,
  verdict: 'accepted' | 'rejected' = 'accepted',
): EventOf<'candidate-reviewed'> => ({
  type: 'candidate-reviewed',
  workstreamId,
  review: {
    attempt: 2,
    tool: 'claude',
    model: null,
    verdict,
    noVerdict: null,
    blocks: true,
    findings: [],
    found: 0,
    text: `VERDICT ${verdict}`,
    costUsd: verdict === 'accepted' ? 0.25 : null,
    inputTokens: null,
    outputTokens: null,
    durationSeconds: 4,
    logFile: null,
  },
});
