/** How many agents there were over time, and what follows for each of them. */
import { expect, test } from 'vitest';
import type { RunEvent } from '../../../src/domain/run-event.ts';
import { agentPerformances } from '../../../src/store/read/agents.ts';
import { consolidate } from '../../../src/store/read/consolidate.ts';
import { mostAgents, scalingSummary } from '../../../src/store/write/agent-counts.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { finished, opened, RUN, result, rowsOf, started } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

/** So many seconds after the start of the run. */
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 2, 3, 4, 5 + seconds)).toISOString();

const scaled = (seconds: number, from: number | null, to: number): RunEvent => ({
  type: 'agents-scaled',
  change: {
    at: at(seconds),
    from,
    to,
    reason: from === null ? 'start' : from < to ? 'waiting' : 'memory',
    explanation: `to ${to}`,
  },
  agents: Array.from({ length: to }, (_, index) => `agent-${index + 1}`),
});

const by = (agent: number, id: string, begin: number, end: number): RunEvent =>
  finished(
    result(id, {
      agentId: `agent-${agent}`,
      startTime: at(begin),
      endTime: at(end),
      durationSeconds: end - begin,
    }),
  );

function recorded(...events: RunEvent[]) {
  const connection = opened(temporaryFolder());
  const recorder = new SqliteRecorder(connection);
  recorder.take([started(['ws-1', 'ws-2', 'ws-3'], { agents: ['agent-1'] })]);
  recorder.take(events);
  recorder.commit();
  return { connection, recorder };
}

const shares = (connection: ReturnType<typeof opened>) =>
  agentPerformances(connection, RUN).map(({ agentId, idleSeconds, utilisation }) => [
    agentId,
    idleSeconds,
    utilisation,
  ]);

/** The run goes on after a pause. */
const resumed = started(['ws-1', 'ws-2', 'ws-3'], {
  at: at(100),
  agents: ['agent-1'],
  resumed: {
    counts: { completed: 1, failed: 0, skipped: 0 },
    discarded: [],
    afterDeath: false,
    results: 1,
    running: 0,
  },
});

test('an agent that came or left counts for the time in which it was there', () => {
  const { connection } = recorded(
    scaled(0, null, 1),
    scaled(4, 1, 3),
    scaled(6, 3, 2),
    by(1, 'ws-1', 0, 5),
    by(2, 'ws-2', 4, 10),
    // It was still at work when it was told to leave.
    by(3, 'ws-3', 5, 8),
  );
  expect(shares(connection)).toEqual([
    ['agent-1', 5, 0.5],
    ['agent-2', 0, 1],
    ['agent-3', 0, 1],
  ]);
  expect(consolidate(connection, RUN, 'runs.db')?.scaling).toEqual({
    total: 3,
    shown: [
      { at: at(0), from: null, to: 1, reason: 'start', explanation: 'to 1' },
      { at: at(4), from: 1, to: 3, reason: 'waiting', explanation: 'to 3' },
      { at: at(6), from: 3, to: 2, reason: 'memory', explanation: 'to 2' },
    ],
  });
  expect(scalingSummary(connection, RUN)).toEqual({ start: 1, final: 2, least: 1, most: 3, changes: 2 });
  expect(
    rowsOf(connection, 'SELECT agents_count AS count, agent_names AS names FROM consolidated_runs'),
  ).toEqual([{ count: 3, names: '["agent-1","agent-2","agent-3"]' }]);
});

test('the most at one time are those of any session, whether their number was fixed or not', () => {
  const { connection, recorder } = recorded(scaled(0, null, 1), scaled(1, 1, 3), scaled(2, 3, 2));
  recorder.commit();
  expect(mostAgents(connection, RUN)).toBe(3);
  expect(mostAgents(connection, 'ma-run-20200101-000000')).toBeNull();
  connection.exec("DELETE FROM agent_counts; UPDATE consolidated_runs SET state = 'interrupted'");
  recorder.reopen({ runId: RUN, resumedAt: null, discarded: [], options: {} });
  recorder.take([resumed]);
  recorder.commit();
  expect(mostAgents(connection, RUN)).toBe(3);
});

test('of a run that was resumed, each session counts, and the pause does not', () => {
  const { connection, recorder } = recorded(scaled(0, null, 1), by(1, 'ws-1', 0, 2));
  recorder.commit();
  recorder.reopen({ runId: RUN, resumedAt: null, discarded: [], options: {} });
  recorder.take([resumed]);
  recorder.take([scaled(100, null, 2)]);
  recorder.take([by(2, 'ws-2', 101, 104)]);
  recorder.commit();
  expect(shares(connection)).toEqual([
    ['agent-1', 4, 1 / 3],
    ['agent-2', 1, 0.75],
  ]);
  expect(scalingSummary(connection, RUN)).toMatchObject({ start: 2, changes: 0 });
});

test('where the number was fixed nothing is kept', () => {
  const { connection } = recorded(by(1, 'ws-1', 0, 2), by(1, 'ws-2', 2, 4));
  expect(consolidate(connection, RUN, 'runs.db')?.scaling).toEqual({ shown: [], total: 0 });
  expect(scalingSummary(connection, RUN)).toBeNull();
  expect(shares(connection)).toEqual([['agent-1', 0, 1]]);
});
