/** What a person sees of a run that is under way, kept up to date event by event in memory bounded by the agents. */
import { COORDINATOR, type AgentResult, type FinalStatus } from '../domain/agent-result.ts';
import type { RunEvent } from '../domain/run-event.ts';
import { firstOf } from '../text/cut-text.ts';

/** Failures that are kept, the newest ones. */
const FAILURES_KEPT = 5;
/** Characters that are kept of one text; no window shows more on a line. */
const TEXT_KEPT = 1_000;

/** What an agent has in hand. */
export interface RunningWorkstream {
  workstreamId: string;
  title: string;
  /** Counted from 1. */
  attempt: number;
  /** Milliseconds since 1970. */
  since: number;
  /** 0 to 1; null when unknown. */
  fraction: number | null;
  /** What the workstream last said about itself. */
  text: string;
  /** From history; null without any. */
  expectedSeconds: number | null;
}

export interface FailureNote {
  workstreamId: string;
  reason: string;
  /** First line of the explanation. */
  line: string;
}

/** What the estimate of the time left is made of; see `time-left.ts`. */
export interface AgentActivity {
  /** Workstreams that could be planned, and what they are expected to take in all; null without history. */
  planned: number;
  expectedSeconds: number | null;
  /** Those of them that an agent took in hand, and what they were expected to take. */
  started: number;
  startedExpectedSeconds: number;
  /** Those of them that ended without any agent, and their average share of what was expected. */
  dropped: number;
  droppedExpectedSeconds: number;
  /** Those that ended on an agent, and what they took. */
  measured: number;
  measuredSeconds: number;
}

/** The state of a run as the screen shows it. */
export interface Board {
  runId: string | null;
  /** Milliseconds since 1970; null before the run. */
  startedAt: number | null;
  total: number;
  counts: Record<FinalStatus, number>;
  /** What each agent has in hand, in the order of the agents; null for nothing. */
  agents: Map<string, RunningWorkstream | null>;
  /** Those of them that take no more: each leaves when it has nothing in hand. */
  leaving: Set<string>;
  /** The newest failures, newest last. */
  failures: FailureNote[];
  /** What it waits for of other runs, newest last, in a clause each. */
  waits: string[];
  /** The signal, or what a person did, that ends the run early. */
  interruptedBy: string | null;
  ended: boolean;
  work: AgentActivity;
}

export function createBoard(): Board {
  return {
    runId: null,
    startedAt: null,
    total: 0,
    counts: { completed: 0, failed: 0, skipped: 0 },
    agents: new Map(),
    leaving: new Set(),
    failures: [],
    waits: [],
    interruptedBy: null,
    ended: false,
    work: {
      planned: 0,
      expectedSeconds: null,
      started: 0,
      startedExpectedSeconds: 0,
      dropped: 0,
      droppedExpectedSeconds: 0,
      measured: 0,
      measuredSeconds: 0,
    },
  };
}

/** Number of workstreams that have their final status. */
export function finished({ counts }: Board): number {
  return counts.completed + counts.failed + counts.skipped;
}

/** Number of agents that have a workstream in hand. */
export function running(board: Board): number {
  let busy = 0;
  for (const task of board.agents.values()) if (task !== null) busy += 1;
  return busy;
}

/**
 * Brings the board up to date with one event. Changes it in place, because a run may have 10,000 events a second and
 * a frame is drawn of few of these states.
 * @returns whether a frame would now look different.
 */
export function applyEvent(board: Board, event: RunEvent): boolean {
  switch (event.type) {
    case 'run-started':
      board.runId = event.runId;
      board.startedAt = Date.parse(event.at);
      board.total = event.total;
      if (event.resumed !== null) board.counts = { ...event.resumed.counts };
      board.agents = new Map(event.agents.map((agentId) => [agentId, null]));
      board.work.planned = event.workstreams.length;
      board.work.expectedSeconds = event.expectedSeconds;
      return true;
    case 'workstream-started':
      start(board, event);
      return true;
    case 'workstream-retrying':
      putDown(board, event.workstreamId);
      return true;
    case 'workstream-progress':
      return progress(board, event);
    case 'workstream-finished':
      finish(board, event.result);
      return true;
    case 'agents-scaled':
      scale(board, event.agents);
      return true;
    case 'waiting-for-runs':
      board.waits = event.waits.map(({ explanation }) => kept(explanation));
      return true;
    case 'interrupting':
      board.interruptedBy = kept(event.signal);
      return true;
    case 'run-ended':
      board.ended = true;
      return true;
    case 'workstream-ready':
    case 'workstream-log':
    case 'agent-replaced':
    case 'notice':
      return false;
  }
}

function start(board: Board, event: Extract<RunEvent, { type: 'workstream-started' }>): void {
  const { workstreamId, title, agentId, attempt, expectedSeconds } = event;
  if (attempt > 1) putDown(board, workstreamId);
  else {
    board.work.started += 1;
    board.work.startedExpectedSeconds += expectedSeconds ?? 0;
  }
  const since = Date.parse(event.at);
  board.agents.set(agentId, {
    workstreamId,
    title,
    attempt,
    since,
    fraction: null,
    text: '',
    expectedSeconds,
  });
}

/** Nobody has it in hand any more. */
function putDown(board: Board, workstreamId: string): void {
  for (const [agentId, task] of board.agents) {
    if (task?.workstreamId === workstreamId) free(board, agentId);
  }
}

function free(board: Board, agentId: string): void {
  if (board.leaving.delete(agentId)) board.agents.delete(agentId);
  else board.agents.set(agentId, null);
}

function scale(board: Board, agents: readonly string[]): void {
  const before = board.agents;
  const stay = new Set(agents);
  const leaving = [...before].filter(([agentId, task]) => !stay.has(agentId) && task !== null);
  const staying = agents.map((agentId) => [agentId, before.get(agentId) ?? null] as const);
  board.agents = new Map([...staying, ...leaving]);
  board.leaving = new Set(leaving.map(([agentId]) => agentId));
}

function progress(board: Board, event: Extract<RunEvent, { type: 'workstream-progress' }>): boolean {
  const task = board.agents.get(event.agentId);
  // A message may arrive after its workstream has ended.
  if (task === undefined || task === null || task.workstreamId !== event.workstreamId) return false;
  task.fraction = event.fraction;
  task.text = kept(event.text);
  return true;
}

function finish(board: Board, result: AgentResult): void {
  if (result.agentId === COORDINATOR) drop(board.work, result.status);
  else {
    const task = board.agents.get(result.agentId);
    if (task?.workstreamId === result.workstreamId) free(board, result.agentId);
    measure(board.work, result.durationSeconds);
  }
  board.counts[result.status] += 1;
  if (result.status !== 'failed') return;
  const line = kept((result.explanation ?? '').trimStart().slice(0, TEXT_KEPT).split('\n', 1)[0] ?? '');
  board.failures.push({ workstreamId: result.workstreamId, reason: result.reason ?? 'failed', line });
  if (board.failures.length > FAILURES_KEPT) board.failures.shift();
}

function measure(work: AgentActivity, seconds: number | null): void {
  if (seconds === null) return;
  work.measured += 1;
  work.measuredSeconds += seconds;
}

/** A workstream ended without an agent. What failed that way could not be planned, so nothing was expected of it. */
function drop(work: AgentActivity, status: FinalStatus): void {
  const waiting = work.planned - work.started - work.dropped;
  if (status === 'failed' || waiting <= 0) return;
  const left = (work.expectedSeconds ?? 0) - work.startedExpectedSeconds - work.droppedExpectedSeconds;
  work.dropped += 1;
  work.droppedExpectedSeconds += left / waiting;
}

/** The start of a text. It is copied where it was cut, because a slice keeps the whole text in memory. */
function kept(text: string): string {
  return text.length <= TEXT_KEPT ? text : Buffer.from(firstOf(text, TEXT_KEPT)).toString();
}
