import type { AgentResult, ResultMetadata } from '../../src/domain/agent-result.ts';

/** Fields of a result, of its metadata only those that matter. */
export type ResultFields = Partial<Omit<AgentResult, 'metadata'>> & { metadata?: Partial<ResultMetadata> };

/** A completed result of `agent-1` that took a second and found nothing out. */
export function completedResult(workstreamId: string, { metadata, ...fields }: ResultFields): AgentResult {
  return {
    runId: 'ma-run-20260102-030405',
    agentId: 'agent-1',
    workstreamId,
    status: 'completed',
    startTime: '2026-01-02T03:04:06.000Z',
    endTime: '2026-01-02T03:04:07.000Z',
    durationSeconds: 1,
    filesModified: [],
    commitsCreated: [],
    errors: [],
    warnings: [],
    testResults: { total: 0, passed: 0, failed: 0, manual: 0, cases: null, tests: [] },
    metadata: {
      title: `Title of ${workstreamId}`,
      kind: null,
      file: `workstreams/${workstreamId}.json`,
      position: 0,
      priority: 0,
      constraints: null,
      output: null,
      metrics: {},
      base: null,
      matrix: null,
      series: {},
      outputs: [],
      steps: [],
      tools: [],
      changes: null,
      merge: null,
      earlierAttempts: [],
      candidates: [],
      gaveUp: null,
      compensation: [],
      tail: null,
      definition: {},
      ...metadata,
    },
    reason: null,
    explanation: null,
    failure: null,
    cpuSeconds: 0.5,
    cpuWaitSeconds: 0.25,
    usage: null,
    attempts: 1,
    definitionHash: `hash-of-${workstreamId}`,
    logFile: null,
    stack: null,
    pattern: null,
    ...fields,
  };
}
