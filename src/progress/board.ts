/** The state of a run as the live view shows it, updated by each event. Its size is bounded by the number of agents. */
import { type AgentResult, COORDINATOR, type FinalStatus } from '../domain/agent-result.ts';
import type { EventOf, RunEvent } from '../domain/run-event.ts';
import { firstOf } from '../text/cut-text.ts';

/** How many of the newest failures are kept. */
const FAILURES_KEPT = 5;
/** Characters that are kept of one text; no terminal shows more on a line. */
const TEXT_KEPT = 1_000;

/** The workstream that an agent runs. */
export interface RunningWorkstream {
  workstreamId: string;
  title: string;
  /** Counted from 1. */
  attempt: number;
  /** ISO 8601. */
  startedAt: string;
  /** 0 to 1; null when unknown. */
  fraction: number | null;
  /** The text of its last progress. */
  text: string;
  /** Expected duration from history; null without any. */
  expectedSeconds: number | null;
}

export interface FailureNote {
  workstreamId: string;
  reason: string;
  /** First line of the explanation. */
  line: string;
}

/** From what the time left is estimated; see `timeLeft` in `frame.ts`. */
export interface AgentActivity {
  /** Workstreams that could be planned, and the seconds that all together are expected to take; null without history. */
  planned: number;
  expectedSeconds: number | null;
  /** Of these: those that were started, and the seconds that they were expected to take. */
  started: number;
  startedExpectedSeconds: number;
  /** Of these: those that ended without being started, and their average share of the expected seconds. */
  dropped: number;
  droppedExpectedSeconds: number;
  /** Those that ended on an agent, and the seconds that they took. */
  measured: number;
  measuredSeconds: number;
}

export interface Board {
  runId: string | null;
  /** Milliseconds since 1970; null before the run. */
  startedAt: number | null;
  total: number;
  counts: Record<FinalStatus, number>;
  /** What each agent runs, in the order of the agents; null for an idle one. */
  agents: Map<string, RunningWorkstream | null>;
  /** Agents that take no more work: each is removed once it is idle. */
  leaving: Set<string>;
  /** The newest failures, newest last. */
  failures: FailureNote[];
  /** Tools that wait for their usage limits: until when, in milliseconds since 1970. */
  parked: Map<string, number>;
  /** What the run waits for of other runs, newest last, a clause each. */
  waits: string[];
  /** Why the run ends early: a signal, or what a person did. */
  interruptedBy: string | null;
  ended: boolean;
  activity: AgentActivity;
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
    parked: new Map(),
    waits: [],
    interruptedBy: null,
    ended: false,
    activity: {
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

/** Number of agents that run a workstream. */
export function busyAgents(board: Board): number {
  let busy = 0;
  for (const task of board.agents.values()) if (task !== null) busy += 1;
  return busy;
}

/**
 * Updates the board with one event, in place, because a run may have 10,000 events a second and few of the states
 * between them are drawn.
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
      board.activity.planned = event.workstreams.length;
      board.activity.expectedSeconds = event.expectedSeconds;
      return true;
    case 'workstream-started':
      start(board, event);
      return true;
    case 'workstream-begun':
      begin(board, event);
      return true;
    case 'workstream-ready':
    case 'workstream-retrying':
      return release(board, event.workstreamId);
    case 'workstream-progress':
      return progress(board, event);
    case 'workstream-finished':
      finish(board, event.result);
      return true;
    case 'workstream-reopened':
      reopen(board, event);
      return true;
    case 'agents-scaled':
      scale(board, event.agents);
      return true;
    case 'waiting-for-runs':
      board.waits = event.waits.map(({ explanation }) => kept(explanation));
      return true;
    case 'tool-parked':
      board.parked.set(kept(event.tool), Date.parse(event.until));
      return true;
    case 'tool-resumed':
      return board.parked.delete(kept(event.tool));
    case 'interrupting':
      board.interruptedBy = kept(event.signal);
      return true;
    case 'run-ended':
      board.ended = true;
      return true;
    case 'checkout-read':
    case 'workstream-log':
    case 'session-began':
    case 'candidate-ended':
    case 'candidate-reviewed':
    case 'workstream-merged':
    case 'agent-replaced':
    case 'notice':
      return false;
  }
}

function start(board: Board, event: EventOf<'workstream-started'>): void {
  const { workstreamId, attempt, expectedSeconds } = event;
  if (attempt > 1) release(board, workstreamId);
  else {
    board.activity.started += 1;
    board.activity.startedExpectedSeconds += expectedSeconds ?? 0;
  }
  // Over a queue it is started for a place in it: which agent of which host takes it is known when it is begun.
  if (board.agents.has(event.agentId)) occupy(board, event);
}

/** Where a host was lost, another agent had it before. */
function begin(board: Board, event: EventOf<'workstream-begun'>): void {
  if (board.agents.get(event.agentId)?.workstreamId !== event.workstreamId)
    release(board, event.workstreamId);
  occupy(board, event);
}

/** Of what is queued the last is shown until one is known to take long. */
function occupy(board: Board, event: EventOf<'workstream-started' | 'workstream-begun'>): void {
  const { workstreamId, title, agentId, attempt, at, expectedSeconds } = event;
  board.agents.set(agentId, {
    workstreamId,
    title,
    attempt,
    startedAt: at,
    fraction: null,
    text: '',
    expectedSeconds,
  });
}

/** No agent runs it any more. Returns whether one was shown with it. */
function release(board: Board, workstreamId: string): boolean {
  let isChanged = false;
  for (const [agentId, task] of board.agents) {
    if (task?.workstreamId !== workstreamId) continue;
    free(board, agentId);
    isChanged = true;
  }
  return isChanged;
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

function progress(board: Board, event: EventOf<'workstream-progress'>): boolean {
  const task = board.agents.get(event.agentId);
  // A message may arrive after its workstream has ended.
  if (task === undefined || task === null || task.workstreamId !== event.workstreamId) return false;
  task.fraction = event.fraction;
  task.text = kept(event.text);
  return true;
}

function finish(board: Board, result: AgentResult): void {
  if (result.agentId === COORDINATOR) drop(board.activity, result.status);
  else {
    const task = board.agents.get(result.agentId);
    if (task?.workstreamId === result.workstreamId) free(board, result.agentId);
    measure(board.activity, result.durationSeconds);
  }
  board.counts[result.status] += 1;
  if (result.status !== 'failed') return;
  const line = kept((result.explanation ?? '').trimStart().slice(0, TEXT_KEPT).split('\n', 1)[0] ?? '');
  board.failures.push({ workstreamId: result.workstreamId, reason: result.reason ?? 'failed', line });
  if (board.failures.length > FAILURES_KEPT) board.failures.shift();
}

/** The workstream counts as not started where it never was. */
function reopen({ counts, failures, activity }: Board, event: EventOf<'workstream-reopened'>): void {
  counts[event.status] -= 1;
  if (event.status === 'skipped') activity.dropped = Math.max(0, activity.dropped - 1);
  const at = failures.findIndex(({ workstreamId }) => workstreamId === event.workstreamId);
  if (at !== -1) failures.splice(at, 1);
}

function measure(activity: AgentActivity, seconds: number | null): void {
  if (seconds === null) return;
  activity.measured += 1;
  activity.measuredSeconds += seconds;
}

/** Counts a workstream that ended without an agent. One that failed so could not be planned, and had no expectation. */
function drop(activity: AgentActivity, status: FinalStatus): void {
  const waiting = activity.planned - activity.started - activity.dropped;
  if (status === 'failed' || waiting <= 0) return;
  const left =
    (activity.expectedSeconds ?? 0) - activity.startedExpectedSeconds - activity.droppedExpectedSeconds;
  activity.dropped += 1;
  activity.droppedExpectedSeconds += left / waiting;
}

/** The start of a text. It is copied where it was cut, because a slice keeps the whole text in memory. */
function kept(text: string): string {
  return text.length <= TEXT_KEPT ? text : Buffer.from(firstOf(text, TEXT_KEPT)).toString();
}
