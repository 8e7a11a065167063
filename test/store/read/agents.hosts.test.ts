import { expect, test } from 'vitest';
import { agentPerformances, hostPerformances, hostsOfRun } from '../../../src/store/read/agents.ts';
import { failed, opened, RUN, record, result, skipped } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** The same whether somebody knows the agents or not. */
function hostsOf(connection: ReturnType<typeof opened>) {
  const hosts = hostPerformances(connection, RUN, agentPerformances(connection, RUN));
  expect(hostsOfRun(connection, RUN)).toEqual(hosts);
  return hosts;
}

test('the agents of a host are added up, and a host that got nothing to do is there', () => {
  const connection = opened(temporaryFolder());
  record(
    connection,
    [
      result('ws-1', { agentId: 'node-2/agent-1', durationSeconds: 1 }),
      result('ws-2', { agentId: 'node-2/agent-2', durationSeconds: 2 }),
      failed('ws-3', 'boom', { agentId: 'node-2/agent-2', durationSeconds: 4 }),
      skipped('ws-4'),
    ],
    { agents: ['node-2/agent-1', 'node-2/agent-2', 'node-10/agent-1'] },
  );
  expect(hostsOf(connection)).toEqual([
    { host: 'node-2', agents: 2, workstreams: 3, completed: 2, failed: 1, busySeconds: 7, lost: 0 },
    { host: 'node-10', agents: 1, workstreams: 0, completed: 0, failed: 0, busySeconds: 0, lost: 0 },
  ]);
});

test('what was lost counts for the host that had it last, also where another one completed it later', () => {
  const connection = opened(temporaryFolder());
  const lost = { reason: 'host-lost', detail: 'it went silent' } as const;
  record(
    connection,
    [
      failed('ws-1', 'it went silent', { agentId: 'a/agent-1', reason: lost.reason, failure: lost }),
      result('ws-2', {
        agentId: 'b/agent-1',
        attempts: 2,
        metadata: {
          earlierAttempts: [
            {
              attempt: 1,
              agentId: 'c/agent-1',
              tool: null,
              model: null,
              reason: lost.reason,
              failure: lost,
              explanation: 'it went silent',
              startTime: '2026-01-02T03:04:05.000Z',
              durationSeconds: 3,
              costUsd: null,
              inputTokens: null,
              outputTokens: null,
              logFile: null,
              pattern: null,
              contentHash: null,
            },
          ],
        },
      }),
    ],
    { agents: ['a/agent-1', 'b/agent-1'] },
  );
  expect(hostsOf(connection)).toMatchObject([
    { host: 'a', workstreams: 1, failed: 1, lost: 1 },
    { host: 'b', workstreams: 1, completed: 1, lost: 0 },
    { host: 'c', agents: 1, workstreams: 0, busySeconds: 3, lost: 1 },
  ]);
});

test('a run on this machine has no hosts', () => {
  const connection = opened(temporaryFolder());
  record(connection, [result('ws-1'), result('ws-2', { agentId: 'agent-2' })]);
  expect(hostsOf(connection)).toEqual([]);
});
