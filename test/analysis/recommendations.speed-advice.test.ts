import { expect, test } from 'vitest';
import { recommend } from '../../src/analysis/recommendations.ts';
import type { AgentPerformance, ExecutionSummary, ShortResult } from '../../src/domain/run-record.ts';
import { agent, input, result, summary, TOTALS, whole } from './advice-fixture.ts';

/** The first recommendation of a run of which only these numbers are of interest. */
function advise(
  executionSummary: ExecutionSummary,
  agents: AgentPerformance[] = [],
  timeline = whole<ShortResult>(),
): string | undefined {
  return recommend(input({ agents, timeline, run: { executionSummary } }))[0];
}

test('one workstream takes the whole time', () => {
  const one = { criticalPathSeconds: 9.5, limitSeconds: 9.5, busySeconds: 12, oneAgentSeconds: 12 };
  expect(advise(summary(one))).toBe(
    "`ws-a` alone took 9.5s of the run's 10s, and no number of agents shortens it: split it, for example by a `matrix`. 2 agents can do this work in that time: `millrace run -j 2`.",
  );
});

test('a workstream that failed takes the whole time: it may have hung', () => {
  const one = { criticalPathSeconds: 9.5, limitSeconds: 9.5, busySeconds: 12, oneAgentSeconds: 12 };
  const timeline = whole(result('ws-a', { status: 'failed', durationSeconds: 9.5 }));
  expect(advise(summary(one), [], timeline)).not.toContain('no number of agents shortens it');
});

test('nothing is said of little work', () => {
  const one = {
    criticalPathSeconds: 4.5,
    limitSeconds: 4.5,
    busySeconds: 4.9,
    oneAgentSeconds: 4.9,
    wallSeconds: 5,
  };
  expect(advise(summary(one))).not.toContain('no number of agents shortens it');
});

test('a chain takes the whole time', () => {
  const criticalPath = ['ws-a', 'ws-b', 'ws-c', 'ws-d'];
  const chain = {
    criticalPath,
    criticalPathSeconds: 9.5,
    limitSeconds: 9.5,
    busySeconds: 20,
    oneAgentSeconds: 20,
  };
  const timeline = whole(
    result('ws-b', { durationSeconds: 7 }),
    result('ws-x', { durationSeconds: 8 }),
    result('ws-a'),
  );
  expect(advise(summary(chain), [], timeline)).toBe(
    "The chain `ws-a` → … → `ws-d` (4 workstreams) took 9.5s of the run's 10s, and no number of agents shortens it: make `ws-b` (7s) faster or remove a dependency.",
  );
});

test('more agents than workstreams', () => {
  const agents = [agent('agent-1', 5), agent('agent-2', 5), agent('agent-3', 0, { workstreams: 0 })];
  const totals = { ...TOTALS, workstreams: 2, completed: 2 };
  const few = summary({
    busySeconds: 10,
    oneAgentSeconds: 10,
    criticalPathSeconds: 5,
    limitSeconds: 5,
    wallSeconds: 7,
  });
  expect(recommend(input({ agents, run: { totals, executionSummary: few } }))).toEqual([
    '1 of 3 agents had nothing to do: `millrace run -j 2` is enough for this work.',
  ]);
});

test('agents below cores while computing', () => {
  const agents = [agent('agent-1', 10), agent('agent-2', 9.5)];
  const busy = summary({ busySeconds: 19.5, oneAgentSeconds: 19.5 }, { agentsCount: 2 });
  expect(advise(busy, agents)).toBe(
    '2 agents worked 97.5 % of the time, 100.0 % of that computing, and this machine has 4 cores: `millrace run -j 4` takes 4.8s instead of 10s at best.',
  );
});

test.each([
  ['the CPU time is not known', [agent('agent-1', 10), agent('agent-2', 9.5, { cpuSeconds: null })]],
  ['they mostly waited', [agent('agent-1', 10, { cpuSeconds: 1 }), agent('agent-2', 9.5, { cpuSeconds: 1 })]],
])('no advice to use more cores when %s', (_, agents) => {
  const busy = summary({ busySeconds: 19.5, oneAgentSeconds: 19.5 }, { agentsCount: 2 });
  expect(advise(busy, agents)).toMatch(/^Everything completed/);
});

test('imbalance under round-robin', () => {
  const agents = [agent('agent-1', 4), agent('agent-2', 10), agent('agent-3', 6)];
  const pinned = summary(
    { busySeconds: 20, oneAgentSeconds: 20, limitSeconds: 6.67 },
    { distribution: 'round-robin' },
  );
  expect(advise(pinned, agents)).toBe(
    'agent-2 worked 10s and agent-1 4s under round-robin distribution: `millrace run --distribution dynamic` takes 6.6s instead of 10s at best.',
  );
  expect(advise({ ...pinned, distribution: 'dynamic' }, agents)).toMatch(/^Everything completed/);
});

test('a run too short to measure gets no advice on its speed', () => {
  expect(advise(summary({ wallSeconds: 0.5, criticalPathSeconds: 0.5, limitSeconds: 0.5 }))).toMatch(
    /^Everything/,
  );
});
