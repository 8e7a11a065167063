import { array, assert, constantFrom, integer, property, record as recordOf } from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentPerformance } from '../../../src/domain/run-record.ts';
import { agentPerformances } from '../../../src/store/read/agents.ts';
import { failed, opened, RUN, record, result, skipped } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const agentsOf = (connection: ReturnType<typeof opened>, runId = RUN): AgentPerformance[] =>
  agentPerformances(connection, runId);

test('what each agent did, also one that got nothing to do', () => {
  const connection = opened(temporaryFolder());
  record(
    connection,
    [
      result('ws-1', { durationSeconds: 1, endTime: '2026-01-02T03:04:10.000Z' }),
      result('ws-2', { durationSeconds: 2, endTime: '2026-01-02T03:04:15.000Z' }),
      failed('ws-3', 'boom', { durationSeconds: 1, cpuSeconds: null }),
      failed('ws-4', 'boom', { agentId: 'agent-10', durationSeconds: 5, cpuSeconds: null }),
      skipped('ws-5', { agentId: 'agent-10', durationSeconds: 3, cpuSeconds: 0.5 }),
      skipped('ws-6'),
    ],
    { agents: ['agent-1', 'agent-2'] },
  );
  expect(agentsOf(connection)).toEqual([
    {
      agentId: 'agent-1',
      workstreams: 3,
      completed: 2,
      failed: 1,
      successRate: 2 / 3,
      busySeconds: 4,
      idleSeconds: 6,
      cpuSeconds: 1,
      utilisation: 0.4,
      averageSeconds: 4 / 3,
      medianSeconds: 1,
      p95Seconds: 2,
      perHour: 1080,
    },
    {
      agentId: 'agent-2',
      workstreams: 0,
      completed: 0,
      failed: 0,
      successRate: null,
      busySeconds: 0,
      idleSeconds: 10,
      cpuSeconds: null,
      utilisation: 0,
      averageSeconds: null,
      medianSeconds: null,
      p95Seconds: null,
      perHour: 0,
    },
    expect.objectContaining({
      agentId: 'agent-10',
      workstreams: 2,
      completed: 0,
      failed: 1,
      successRate: 0,
      cpuSeconds: 0.5,
    }),
  ]);
});

test('median and 95th percentile are those of a naive computation', () => {
  const connection = opened(temporaryFolder());
  let runs = 0;
  const work = recordOf({
    agent: constantFrom('agent-1', 'agent-2', 'agent-3'),
    duration: integer({ min: 0, max: 50 }),
  });
  assert(
    property(array(work, { maxLength: 60 }), (given) => {
      runs += 1;
      const runId = `ma-run-20260101-000000-${runs}`;
      const results = given.map(({ agent, duration }, index) =>
        result(`ws-${index}`, { agentId: agent, durationSeconds: duration / 8 }),
      );
      record(connection, results, { runId, agents: ['agent-1', 'agent-2', 'agent-3'] });
      for (const agent of agentsOf(connection, runId)) {
        const own = given.filter((one) => one.agent === agent.agentId).map(({ duration }) => duration / 8);
        expect([agent.medianSeconds, agent.p95Seconds]).toEqual([naive(own, 50), naive(own, 95)]);
        expect(agent.busySeconds).toBe(own.reduce((sum, one) => sum + one, 0));
      }
    }),
    { numRuns: 40 },
  );
});

/** The least value that at least `percent` of all values are not above. */
function naive(values: number[], percent: number): number | null {
  const enough = values.filter(
    (value) => values.filter((other) => other <= value).length * 100 >= percent * values.length,
  );
  return enough.length === 0 ? null : Math.min(...enough);
}

test('without any time of the run, an agent is taken to have been busy throughout', () => {
  const connection = opened(temporaryFolder());
  record(connection, [result('ws-1', { startTime: null, endTime: null, durationSeconds: 4 })]);
  expect(agentsOf(connection)[0]).toMatchObject({
    busySeconds: 4,
    idleSeconds: 0,
    utilisation: 1,
    perHour: 900,
  });
});
