/**
 * Tiny assignments on their way to hosts, many to a job: a message, a lease and an answer for each would cost more than
 * they do. What may not be in such a job, or was in one that got lost, is executed by itself.
 */
import { randomBytes } from 'node:crypto';
import type { Assignment } from '../../../domain/assignment.ts';
import type { BatchOptions, ExecuteOptions } from '../../../domain/engine.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { Lane } from '../../lane.ts';
import { jobId, queueName, stopOfMembers } from '../protocol.ts';
import { BatchExecution, type BatchListeners } from './batch-execution.ts';
import { logNameOf } from './job-execution.ts';
import type { LeaseStore } from './lease-store.ts';

/** How long a batch waits for the one before it of the same agent, in milliseconds. */
const TURN_MS = 1_000;

export interface BatchesParts {
  nonce: string;
  leases: LeaseStore;
  /** Whether an earlier session may have done, or be doing, something with it. */
  isLeft: (assignment: Assignment) => boolean;
  /** Puts a job into its queue, and follows it. */
  follow: (execution: BatchExecution) => void;
  execute: (given: Assignment, options: ExecuteOptions) => Promise<Outcome>;
}

export class Batches {
  readonly #parts: BatchesParts;
  /** By agent. */
  readonly #lanes = new Map<string, Lane>();
  /** By id of workstreams whose batch came to nothing, each of which is executed by itself: whether its host was lost. */
  readonly #alone = new Map<string, boolean>();

  constructor(parts: BatchesParts) {
    this.#parts = parts;
  }

  /** As `Engine.executeBatch`; the assignments are portable. */
  async execute(assignments: readonly Assignment[], options: BatchOptions): Promise<readonly number[]> {
    const [first] = assignments;
    if (first === undefined) return [];
    const lane = this.#laneOf(first.agentId);
    // One after the other, so that no more is executed at once than the run has agents.
    if (!(await lane.enterSoon(options.signal))) return [...assignments.keys()];
    try {
      return await this.#execute(assignments, options);
    } finally {
      lane.leave();
    }
  }

  /** From now on these are executed one by one: their job was refused, or its host was lost. */
  keepApart(assignments: readonly Assignment[], isHostLost: boolean): void {
    for (const { workstream } of assignments) this.#alone.set(workstream.id, isHostLost);
  }

  /** Whether it may be what has killed the host of its batch. */
  hasLostHost({ workstream }: Assignment): boolean {
    return this.#alone.get(workstream.id) === true;
  }

  async #execute(assignments: readonly Assignment[], options: BatchOptions): Promise<number[]> {
    const stopped = new Set<number>();
    const stops = new Map<number, () => void>();
    options.stops?.listen((index) => {
      stopped.add(index);
      stops.get(index)?.();
    });
    const turn: Turn = { assignments, options, stopped, stops };
    const { groups, singles } = this.#split(assignments);
    const returned = await Promise.all(groups.map((indices) => this.#together(indices, turn)));
    for (const index of singles) if (!(await this.#byItself(index, turn))) returned.push([index]);
    return returned.flat();
  }

  /** Those of one queue go together. */
  #split(assignments: readonly Assignment[]): { groups: number[][]; singles: number[] } {
    const groups = new Map<string, number[]>();
    const singles: number[] = [];
    for (const [index, assignment] of assignments.entries()) {
      const { id, requires } = assignment.workstream;
      const queue = queueName(requires);
      const group = groups.get(queue);
      if (this.#alone.has(id) || this.#parts.isLeft(assignment)) singles.push(index);
      else if (group === undefined) groups.set(queue, [index]);
      else group.push(index);
    }
    const large = [...groups.values()].filter(({ length }) => length > 1);
    const small = [...groups.values()].filter(({ length }) => length === 1);
    return { groups: large, singles: [...singles, ...small.flat()].toSorted((a, b) => a - b) };
  }

  /** Resolves with the indices of those that were returned. */
  async #together(all: readonly number[], turn: Turn): Promise<number[]> {
    const { assignments, options, stopped, stops } = turn;
    const indices = all.filter((index) => !stopped.has(index));
    const members = indices.flatMap((index) => assignments[index] ?? []);
    const indexOf = (position: number): number => indices[position] ?? -1;
    const listeners: BatchListeners = {
      signal: options.signal,
      onMessage: (position, message) => options.onMessage(indexOf(position), message),
      onOutcomes: (outcomes) =>
        options.onOutcomes(outcomes.map(({ index, outcome }) => ({ index: indexOf(index), outcome }))),
      onReturned: (positions) => options.onReturned?.(positions.map(indexOf)),
    };
    const execution = new BatchExecution(this.#placeOf(members), members, listeners);
    for (const [position, index] of indices.entries())
      stops.set(index, () => void this.#stop(execution, position));
    this.#parts.follow(execution);
    const returned = await execution.returned;
    for (const index of indices) stops.delete(index);
    return [
      ...all.filter((index) => stopped.has(index) && !indices.includes(index)),
      ...returned.map(indexOf),
    ];
  }

  /** No two jobs have the same id: what one of them says counts for it alone. */
  #placeOf(members: readonly Assignment[]): { job: string; queue: string } {
    const [first] = members;
    const name = `${first === undefined ? '' : logNameOf(first)}+${members.length - 1}`;
    return {
      job: jobId(this.#parts.nonce, name, randomBytes(16).toString('hex')),
      queue: queueName(first?.workstream.requires ?? []),
    };
  }

  /** What no host has taken comes back whole; a host is told which of them to stop. */
  async #stop(execution: BatchExecution, position: number): Promise<void> {
    if (!execution.stop(position) || !execution.isInQueue) return;
    const { leases } = this.#parts;
    try {
      const { state } = await leases.state(execution.place);
      if (state === 'waiting' && (await leases.remove(execution.place))) execution.giveUp();
      else await leases.cancel(execution.place.job, stopOfMembers(execution.stopped));
    } catch {
      // Redis is away: it is executed, or the run is stopped as a whole.
    }
  }

  /** Resolves with whether it was executed. */
  async #byItself(index: number, { assignments, options, stopped, stops }: Turn): Promise<boolean> {
    const assignment = assignments[index];
    if (assignment === undefined || stopped.has(index) || options.signal.aborted) return false;
    const stop = new AbortController();
    stops.set(index, () => stop.abort('cancelled'));
    const outcome = await this.#parts.execute(assignment, {
      signal: AbortSignal.any([options.signal, stop.signal]),
      onMessage: (message) => options.onMessage(index, message),
    });
    stops.delete(index);
    options.onOutcomes([{ index, outcome }]);
    return true;
  }

  #laneOf(agentId: string): Lane {
    let lane = this.#lanes.get(agentId);
    if (lane === undefined) {
      lane = new Lane(TURN_MS);
      this.#lanes.set(agentId, lane);
    }
    return lane;
  }
}

/** What an agent has been given at once. */
interface Turn {
  assignments: readonly Assignment[];
  options: BatchOptions;
  /** Indices of those that are told to stop. */
  stopped: Set<number>;
  /** What stops those that are executed, by index. */
  stops: Map<number, () => void>;
}
