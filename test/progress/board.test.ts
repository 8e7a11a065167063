import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { applyEvent, type Board, busyAgents, createBoard, finished } from '../../src/progress/board.ts';
import { completedResult } from '../kit/completed-result.ts';
import {
  begun,
  completed,
  failed,
  progress,
  runEnded,
  runStarted,
  START,
  skipped,
  started,
} from '../kit/events.ts';

function boardOf(...events: RunEvent[]): Board {
  const board = createBoard();
  for (const event of events) applyEvent(board, event);
  return board;
}

test('before the run there is nothing', () => {
  const board = createBoard();
  expect([board.startedAt, board.total, finished(board), busyAgents(board)]).toEqual([null, 0, 0, 0]);
});

test('knows the agents of the run from its start, in order', () => {
  const board = boardOf(runStarted(5, 3));
  expect(board.startedAt).toBe(START);
  expect(board.total).toBe(5);
  expect([...board.agents]).toEqual([
    ['agent-1', null],
    ['agent-2', null],
    ['agent-3', null],
  ]);
});

test('knows what each agent has in hand, and since when', () => {
  const board = boardOf(
    runStarted(2, 2),
    started('ws-1', 1, 1.5, { title: 'First', expectedSeconds: 4 }),
    progress('ws-1', 1, 0.25, 'a quarter'),
  );
  expect(board.agents.get('agent-1')).toEqual({
    workstreamId: 'ws-1',
    title: 'First',
    attempt: 1,
    startedAt: new Date(START + 1_500).toISOString(),
    fraction: 0.25,
    text: 'a quarter',
    expectedSeconds: 4,
  });
  expect(busyAgents(board)).toBe(1);
});

test('of what is queued for an agent shows the last, until one is known to take long', () => {
  const queued = ['ws-1', 'ws-2', 'ws-3'].map((id) => started(id, 1, 0, { queued: true }));
  const board = boardOf(runStarted(3, 1), ...queued);
  expect(board.agents.get('agent-1')?.workstreamId).toBe('ws-3');
  applyEvent(board, begun('ws-2', 1, 1));
  expect(board.agents.get('agent-1')?.workstreamId).toBe('ws-2');
  expect(board.activity.started).toBe(3);
});

test('over a queue only the agents of hosts are busy: each with what it has begun, wherever that was before', () => {
  const on = (agentId: string): RunEvent => ({ ...begun('ws-1', 1, 1), agentId });
  const board = boardOf(
    runStarted(2, 0, { agents: ['alpha/agent-1', 'beta/agent-1'] }),
    started('ws-1', 1, 0),
  );
  expect(busyAgents(board)).toBe(0);
  applyEvent(board, on('alpha/agent-1'));
  applyEvent(board, on('beta/agent-1'));
  expect([...board.agents].map(([agentId, task]) => [agentId, task?.workstreamId])).toEqual([
    ['alpha/agent-1', undefined],
    ['beta/agent-1', 'ws-1'],
  ]);
  const result = completedResult('ws-1', { agentId: 'beta/agent-1' });
  applyEvent(board, { type: 'workstream-finished', result });
  expect(busyAgents(board)).toBe(0);
});

test('what was queued for an agent and re-queued is shown at none, until another takes it', () => {
  const board = boardOf(runStarted(2, 2), started('ws-1', 1, 0, { queued: true }));
  expect(applyEvent(board, { type: 'workstream-ready', workstreamId: 'ws-1' })).toBe(true);
  expect(board.agents.get('agent-1')).toBeNull();
  applyEvent(board, started('ws-1', 2, 1));
  expect([...board.agents.values()].map((task) => task?.workstreamId)).toEqual([undefined, 'ws-1']);
});

test('counts final statuses, with and without an agent', () => {
  const board = boardOf(
    runStarted(4, 2),
    started('ws-1', 1, 0),
    started('ws-2', 2, 0),
    completed('ws-1', 1),
    failed('ws-2', 2, 'broke'),
    skipped('ws-3'),
  );
  expect(board.counts).toEqual({ completed: 1, failed: 1, skipped: 1 });
  expect(finished(board)).toBe(3);
  expect(busyAgents(board)).toBe(0);
});

test('a second attempt leaves the agent of the first with nothing in hand', () => {
  const board = boardOf(runStarted(2, 2), started('ws-1', 1, 0), started('ws-1', 2, 3, { attempt: 2 }));
  expect(board.agents.get('agent-1')).toBeNull();
  expect(board.agents.get('agent-2')?.attempt).toBe(2);
  expect(board.activity.started).toBe(1);
});

test('progress that comes late belongs to nobody', () => {
  const board = boardOf(runStarted(2, 1), started('ws-1', 1, 0), completed('ws-1', 1), started('ws-2', 1, 1));
  expect(applyEvent(board, progress('ws-1', 1, 0.9, 'late'))).toBe(false);
  expect(applyEvent(board, progress('ws-2', 7, 0.9, 'nobody'))).toBe(false);
  expect(board.agents.get('agent-1')).toMatchObject({ workstreamId: 'ws-2', fraction: null, text: '' });
});

test('the end of a workstream takes nothing from an agent that has another in hand by then', () => {
  const board = boardOf(runStarted(2, 1), started('ws-1', 1, 0), started('ws-2', 1, 1), completed('ws-1', 1));
  expect(board.agents.get('agent-1')?.workstreamId).toBe('ws-2');
});

test('keeps the five newest failures, each with its first line', () => {
  const board = boardOf(
    runStarted(7, 1),
    ...[1, 2, 3, 4, 5, 6, 7].map((n) => failed(`ws-${n}`, 1, `\n  line ${n}\nsecond line`)),
  );
  expect(board.failures.map(({ workstreamId, line }) => [workstreamId, line])).toEqual(
    [3, 4, 5, 6, 7].map((n) => [`ws-${n}`, `line ${n}`]),
  );
  expect(board.failures[0]?.reason).toBe('exit-non-zero');
});

test('keeps no more of a text than a window can show', () => {
  const board = boardOf(
    runStarted(2, 1),
    started('ws-1', 1, 0),
    progress('ws-1', 1, null, 'x'.repeat(50_000_000)),
    failed('ws-2', 2, 'y'.repeat(50_000_000)),
  );
  expect(board.agents.get('agent-1')?.text).toHaveLength(1_000);
  expect(board.failures[0]?.line).toHaveLength(1_000);
});

test('takes back the result of a workstream that is tried again', () => {
  const board = boardOf(runStarted(1, 2), started('ws-1', 1, 0), failed('ws-1', 1, 'It broke.'));
  const at = '2026-01-02T03:04:05.000Z';
  const reopened = { type: 'workstream-reopened', at, by: 'ann', status: 'failed', follows: null } as const;
  expect(applyEvent(board, { ...reopened, workstreamId: 'ws-1' })).toBe(true);
  expect([board.counts.failed, board.failures]).toEqual([0, []]);
});

test('says which events change the picture', () => {
  const board = boardOf(runStarted(1, 1));
  const changes = (event: RunEvent): boolean => applyEvent(board, event);
  expect(changes({ type: 'workstream-ready', workstreamId: 'ws-1' })).toBe(false);
  expect(changes({ type: 'workstream-log', workstreamId: 'ws-1', agentId: 'agent-1', line: '{}' })).toBe(
    false,
  );
  expect(changes({ type: 'agent-replaced', agentId: 'agent-1', why: 'it died' })).toBe(false);
  expect(changes({ type: 'notice', level: 'error', text: 'bad', workstreamId: null })).toBe(false);
  expect(changes(started('ws-1', 1, 0))).toBe(true);
  expect(changes(progress('ws-1', 1, 0.5))).toBe(true);
  expect(changes(completed('ws-1', 1))).toBe(true);
  expect(changes({ type: 'interrupting', signal: 'SIGINT', running: 0 })).toBe(true);
  expect(changes(runEnded(0, 60))).toBe(true);
  expect([board.interruptedBy, board.ended]).toEqual(['SIGINT', true]);
});

const scaled = (from: number | null, to: number): RunEvent => ({
  type: 'agents-scaled',
  change: { at: '', from, to, reason: 'waiting', explanation: '' },
  agents: Array.from({ length: to }, (_, index) => `agent-${index + 1}`),
});

test('agents come with nothing in hand, and leave when they have nothing in hand any more', () => {
  const board = boardOf(runStarted(9, 1), started('ws-1', 1, 0), scaled(1, 3), started('ws-3', 3, 0));
  expect([...board.agents.keys()]).toEqual(['agent-1', 'agent-2', 'agent-3']);
  applyEvent(board, scaled(3, 1));
  expect([...board.agents.keys()]).toEqual(['agent-1', 'agent-3']);
  expect(busyAgents(board)).toBe(2);
  applyEvent(board, completed('ws-3', 3));
  expect([...board.agents.keys()]).toEqual(['agent-1']);
  applyEvent(board, scaled(1, 2));
  expect([...board.agents]).toEqual([
    ['agent-1', expect.objectContaining({ workstreamId: 'ws-1' })],
    ['agent-2', null],
  ]);
});

test('agents keep their order, and those that are to leave come last', () => {
  const board = boardOf(
    runStarted(9, 3),
    started('ws-1', 1, 0),
    started('ws-3', 3, 0),
    scaled(3, 1),
    scaled(1, 2),
  );
  expect([...board.agents.keys()]).toEqual(['agent-1', 'agent-2', 'agent-3']);
  applyEvent(board, scaled(2, 3));
  expect([...board.agents.keys()]).toEqual(['agent-1', 'agent-2', 'agent-3']);
  expect(busyAgents(board)).toBe(2);
});

test('an agent that was to leave and is wanted again stays', () => {
  const board = boardOf(runStarted(9, 2), started('ws-2', 2, 0), scaled(2, 1), scaled(1, 2));
  applyEvent(board, completed('ws-2', 2));
  expect(board.agents.get('agent-2')).toBeNull();
});
