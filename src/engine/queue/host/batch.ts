/**
 * A batch in hand: tiny assignments that one agent executes one after the other. They share a copy of their project as
 * long as no workstream has been seen to write into one.
 */
import type { Assignment } from '../../../domain/assignment.ts';
import { type BatchOutcome, type EngineMessage, MemberStops } from '../../../domain/engine.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { type RemoteAssignment, type RemoteMessage, reportOf } from '../protocol.ts';
import type { HostEngines } from './engines.ts';

/** A message without what says which lease it belongs to. */
type MessageBody = RemoteMessage extends infer M
  ? M extends RemoteMessage
    ? Omit<M, 'job' | 'token'>
    : never
  : never;

/** Members that have not begun after so long go to other agents, in milliseconds. */
const WAIT_MS = 100;

export interface HostBatchParts {
  engines: HostEngines;
  remote: RemoteAssignment;
  signal: AbortSignal;
  send: (message: MessageBody) => void;
  agent: { host: string; name: string; lease: number };
  nextId: () => number;
}

export class HostBatch {
  readonly #parts: HostBatchParts;
  readonly #assignments: readonly Assignment[];
  /** By position; null for what was not begun, so far or at all. */
  readonly outcomes: (Outcome | null)[];
  readonly #stopped = new Set<number>();
  /** Passes a stop on to those that are executed. */
  #passOn: (position: number) => void = () => undefined;
  readonly #begin = performance.now();
  /** Position of the first that was not given to the engine. */
  #next = 0;

  constructor(assignments: readonly Assignment[], parts: HostBatchParts) {
    this.#assignments = assignments;
    this.#parts = parts;
    this.outcomes = assignments.map(() => null);
  }

  get size(): number {
    return this.#assignments.length;
  }

  /** Whether there are some that should be executed here. */
  get hasMore(): boolean {
    const isLate = this.#next > 0 && performance.now() - this.#begin > WAIT_MS;
    return this.#next < this.size && !isLate && !this.#parts.signal.aborted;
  }

  /** Stops a member; one that has not begun is returned. */
  stop(position: number): void {
    this.#stopped.add(position);
    this.#passOn(position);
  }

  /**
   * Executes the next members.
   * @param localOf an assignment as it is on this machine.
   */
  async execute(count: number, localOf: (assignment: Assignment) => Assignment): Promise<void> {
    const { engines, remote, signal, send, agent, nextId } = this.#parts;
    const from = this.#next;
    this.#next = Math.min(this.size, from + count);
    const agentId = `${agent.host}/${agent.name}`;
    const members = this.#assignments
      .slice(from, this.#next)
      .map((assignment): Assignment => ({ ...localOf(assignment), executionId: nextId(), agentId }));
    const stops = new MemberStops();
    this.#passOn = (position) => stops.stop(position - from);
    for (const position of this.#stopped) if (position >= from) this.#passOn(position);
    await engines.executeBatch(remote, members, {
      signal,
      stops,
      onMessage: (index, message) => {
        const sent = sentMessage(message);
        if (sent !== null) send({ ...sent, member: from + index });
      },
      onBegun: (index, at) => {
        const { host, name, lease } = agent;
        send({ type: 'began', member: from + index, host, agent: name, at, lease });
      },
      onOutcomes: (outcomes) => this.#take(outcomes, from),
      onReturned: (indices) => send({ type: 'returned', members: indices.map((index) => from + index) }),
      onLate: (index, text) => send({ type: 'notice', member: from + index, text }),
    });
    this.#passOn = () => undefined;
  }

  #take(outcomes: readonly BatchOutcome[], from: number): void {
    for (const { index, outcome } of outcomes) this.outcomes[from + index] = outcome;
  }
}

/** What of an engine's message goes to the run; null for one that is not sent. */
export function sentMessage(message: EngineMessage): MessageBody | null {
  switch (message.type) {
    case 'began':
    // Sessions belong to folders of this machine, which the run does not open again.
    case 'session':
      return null;
    case 'progress':
    case 'log':
    case 'replaced':
      return reportOf(message);
  }
}
