/** What is kept of tools, attempts, changes and merges, and how it is read back. */
import { expect, test } from 'vitest';
import type { AgentResult } from '../../../src/domain/agent-result.ts';
import type { AttemptRecord } from '../../../src/domain/attempt.ts';
import { type Changes, type Merge, mergeOf } from '../../../src/domain/changes.ts';
import type { ConsolidatedResult } from '../../../src/domain/run-record.ts';
import { NO_TOKENS, type ToolReport } from '../../../src/domain/tool.ts';
import { agentPerformances } from '../../../src/store/read/agents.ts';
import { consolidate } from '../../../src/store/read/consolidate.ts';
import { failed, opened, RUN, record, result, rowsOf } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const report = (changes: Partial<ToolReport> = {}): ToolReport => ({
  tool: 'claude',
  version: '2.1',
  model: 'opus',
  sessionId: null,
  text: 'done',
  tokens: { ...NO_TOKENS, input: 100, output: 10 },
  costUsd: 0.5,
  turns: 1,
  toolCalls: 1,
  limit: null,
  durationSeconds: 1,
  ...changes,
});

const attempt = (number: number, changes: Partial<AttemptRecord> = {}): AttemptRecord => ({
  attempt: number,
  agentId: 'agent-2',
  tool: 'claude',
  model: 'opus',
  reason: 'no-changes',
  explanation: 'It changed none.',
  failure: { reason: 'no-changes', scope: ['src'] },
  pattern: 'It changed none.',
  startTime: '2026-01-02T03:04:05.500Z',
  durationSeconds: 2,
  costUsd: 0.25,
  inputTokens: 50,
  outputTokens: null,
  contentHash: null,
  logFile: null,
  ...changes,
});

const changes = (files: Changes['files']): Changes => ({
  source: 'git',
  files,
  commits: ['c1'],
  branch: `millrace/${RUN}/ws`,
  base: 'b',
  head: 'c1',
  contentHash: 'h',
  conflictMarkers: [],
  notes: [],
});

const merge = (fields: Partial<Merge>): Merge =>
  mergeOf({ status: 'merged', branch: `millrace/${RUN}/_merged`, commit: 'm1', ...fields });

function consolidated(results: AgentResult[]): ConsolidatedResult {
  const connection = opened(temporaryFolder());
  record(connection, results, { agents: ['anna', 'agent-2'] });
  const found = consolidate(connection, RUN, 'runs.db');
  if (found === null) throw new Error('the run is missing');
  return found;
}

test('tools are compared by their attempts, with what is known of their cost', () => {
  const accepted = { total: 1, passed: 1, failed: 0, manual: 0, cases: null, tests: [] };
  const { tools } = consolidated([
    result('ws-1', {
      attempts: 2,
      testResults: accepted,
      metadata: { tools: [report()], earlierAttempts: [attempt(1)] },
    }),
    result('ws-2', { metadata: { tools: [report({ costUsd: null, tokens: NO_TOKENS })] } }),
    failed('ws-3', 'x', {
      reason: 'acceptance-failed',
      metadata: { tools: [report({ tool: 'codex', model: null, costUsd: null })] },
    }),
    result('ws-4'),
  ]);
  expect(tools).toEqual([
    {
      tool: 'claude',
      model: 'opus',
      workstreams: 2,
      attempts: 3,
      completed: 2,
      accepted: 1,
      notAccepted: 0,
      falseSuccesses: 1,
      unknownCosts: 1,
      costUsd: 0.75,
      inputTokens: 150,
      outputTokens: 10,
      seconds: 4,
    },
    expect.objectContaining({ tool: 'codex', model: null, notAccepted: 1, costUsd: null, unknownCosts: 1 }),
  ]);
});

test('a tool of which every attempt completed has no false success', () => {
  const { tools } = consolidated([result('ws-1', { metadata: { tools: [report()] } })]);
  expect(tools).toMatchObject([{ attempts: 1, completed: 1, falseSuccesses: 0, notAccepted: 0 }]);
});

test('attempts are rows only where there is more to them than the result, and keep their agents busy', () => {
  const connection = opened(temporaryFolder());
  const tried = { attempts: 2, metadata: { earlierAttempts: [attempt(1, { tool: null, model: null })] } };
  record(connection, [result('ws-1', { ...tried, agentId: 'anna' }), result('ws-2', { agentId: 'anna' })], {
    agents: ['anna', 'agent-2'],
  });
  const sql = 'SELECT workstream_id AS id, attempt AS n, agent_id AS agent, reason FROM workstream_attempts';
  expect(rowsOf(connection, sql)).toEqual([
    { id: 'ws-1', n: 1, agent: 'agent-2', reason: 'no-changes' },
    { id: 'ws-1', n: 2, agent: 'anna', reason: null },
  ]);
  const agents = agentPerformances(connection, RUN);
  expect(agents.map(({ agentId, busySeconds }) => [agentId, busySeconds])).toEqual([
    ['agent-2', 2],
    ['anna', 2],
  ]);
  expect(consolidate(connection, RUN, 'runs.db')?.retried).toEqual({
    shown: [
      { workstreamId: 'ws-1', status: 'completed', attempts: 2, reasons: ['no-changes'], gaveUp: null },
    ],
    total: 1,
  });
});

test('a row has the cost of all its attempts', () => {
  const connection = opened(temporaryFolder());
  record(connection, [
    result('ws-1', { attempts: 2, metadata: { tools: [report()], earlierAttempts: [attempt(1)] } }),
  ]);
  const sql =
    'SELECT tool, model, cost_usd AS cost, input_tokens AS i, output_tokens AS o FROM agent_results';
  expect(rowsOf(connection, sql)).toEqual([{ tool: 'claude', model: 'opus', cost: 0.75, i: 150, o: 10 }]);
});

test('the merged branch, and what is not in it', () => {
  const { merges } = consolidated([
    result('ws-1', { metadata: { changes: changes([]), merge: merge({}) } }),
    result('ws-2', {
      metadata: {
        changes: changes([]),
        merge: merge({ status: 'conflict', commit: null, conflictsWith: ['ws-1'], files: ['a b.ts'] }),
      },
    }),
    result('ws-3', { metadata: { merge: merge({ status: 'nothing-to-merge', commit: null }) } }),
    result('ws-4', { metadata: { merge: merge({ status: 'mergeable', branch: '', commit: null }) } }),
  ]);
  expect(merges).toEqual({
    branch: `millrace/${RUN}/_merged`,
    merged: 1,
    mergeable: 1,
    tested: false,
    caveat: '',
    failing: 0,
    outside: { shown: [], total: 0 },
    problems: {
      shown: [
        {
          workstreamId: 'ws-2',
          status: 'conflict',
          branch: `millrace/${RUN}/ws`,
          conflictsWith: ['ws-1'],
          files: ['a b.ts'],
          detail: '',
          partner: null,
          failingTest: null,
          logFile: null,
        },
      ],
      total: 1,
    },
  });
  expect(consolidated([result('ws-1')]).merges).toBeNull();
});

test('what git knows of a file stands beside who changed it', () => {
  const file = (linesAdded: number | null) => ({
    path: 'a.ts',
    from: null,
    status: 'modified' as const,
    linesAdded,
    linesRemoved: 1,
  });
  const { files } = consolidated([
    result('ws-1', { filesModified: ['a.ts'], metadata: { changes: changes([file(2)]) } }),
    result('ws-2', { filesModified: ['a.ts', 'b.ts'], metadata: { changes: changes([file(3)]) } }),
  ]);
  expect(files.shown).toEqual([
    { path: 'a.ts', workstreams: ['ws-1', 'ws-2'], status: 'modified', linesAdded: 5, linesRemoved: 2 },
    { path: 'b.ts', workstreams: ['ws-2'], status: null, linesAdded: null, linesRemoved: null },
  ]);
});
