/** Stops single workstreams of a run that goes on, and opens again what has failed. */
import type { AttemptRecord } from '../domain/attempt.ts';
import type { Failure } from '../domain/failure.ts';
import type { RunEvent } from '../domain/run-event.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready-queue.ts';
import { isoTimestamp } from '../text/format.ts';
import { stoppedResult } from './attempt/result.ts';
import type { WorkstreamRunner } from './attempt/workstream-runner.ts';
import type { FinalResults } from './final-results.ts';
import type { SpeedMeter } from './speed-meter.ts';

/** What became of the request to stop a workstream. */
export type StopOutcome = 'stopping' | 'stopped' | 'ended' | 'run-ending';

/** What became of the request to open a workstream again. */
export type ReopenOutcome =
  | {
      did: 'reopened';
      /** Number of the attempt that follows. */
      attempt: number;
      /** What becomes of it: it is started as soon as an agent is free, waits for others, or is skipped at once. */
      state: 'ready' | 'blocked' | 'skipped';
      /** Workstreams that had been skipped for it and are open again too. */
      others: number;
    }
  | { did: 'not-ended' | 'not-failed' | 'run-ending' }
  | { did: 'not-runnable'; failure: Failure };

/** A result that is withdrawn. */
export interface WithdrawnResult {
  workstreamId: string;
  by: string;
  /** ISO 8601 in UTC. */
  at: string;
}

export interface WorkstreamControlParts {
  runId: string;
  workstream: (index: number) => Workstream;
  runner: Pick<WorkstreamRunner, 'restore' | 'takeAttempts'>;
  ready: Pick<ReadyQueue, 'has' | 'remove'>;
  results: FinalResults;
  meter: SpeedMeter;
  /** What agents have; `stop` stops one that has begun, and has one that has not given back before it returns. */
  executions: { has: (index: number) => boolean; stop: (index: number) => void };
  /** Has one that waits for its next attempt not wait any more. Returns whether it did. */
  endPause: (index: number) => boolean;
  /** Why no agent would start it; null where one would. */
  refusal: (index: number) => Failure | null;
  /**
   * Withdraws stored results in one transaction, after everything that was published before. Returns all attempts that
   * were made at the first of them. Throws what the store throws; nothing is withdrawn then.
   */
  withdraw: (withdrawals: readonly WithdrawnResult[]) => readonly AttemptRecord[];
  /** Whether the run is over, or stops what is running. */
  isOver: () => boolean;
  /** Whether nothing is started any more. */
  isEnding: () => boolean;
  /** Called when something is open or ready that was not, or the other way round. */
  onChange: () => void;
}

export class WorkstreamControl {
  readonly #parts: WorkstreamControlParts;
  /** Workstreams that are told to stop, by id: who asked. */
  readonly #stops = new Map<string, string>();
  /** Workstreams that have had an attempt in this session, and are to have another one. */
  readonly #begun = new Set<number>();

  constructor(parts: WorkstreamControlParts) {
    this.#parts = parts;
  }

  /** See `Coordinator.stop`. */
  stop(index: number, by: string): StopOutcome {
    const { results, executions, isOver } = this.#parts;
    if (results.stateOf(index) !== 'open') return 'ended';
    if (isOver()) return 'run-ending';
    if (!executions.has(index)) {
      this.#stopWaiting(index, by);
      return 'stopped';
    }
    const { id } = this.#parts.workstream(index);
    if (!this.#stops.has(id)) this.#stops.set(id, by);
    executions.stop(index);
    // One that an agent had not begun is returned at once.
    return results.stateOf(index) === 'open' ? 'stopping' : 'stopped';
  }

  #stopWaiting(index: number, by: string): void {
    const { ready, endPause, onChange } = this.#parts;
    const isBetween = endPause(index);
    if (ready.has(index)) ready.remove(index);
    this.#recordStopped(index, by, isBetween ? BETWEEN_ATTEMPTS : NOT_BEGUN);
    onChange();
  }

  /** The result of a workstream that was stopped while no agent executed it. */
  #recordStopped(index: number, by: string, detail: string): void {
    const { runId, runner, results, workstream } = this.#parts;
    const stopped = workstream(index);
    const failure: Failure = { reason: 'cancelled', detail, by };
    this.#stops.delete(stopped.id);
    this.#begun.delete(index);
    results.record(index, stoppedResult(runId, stopped, failure, runner.takeAttempts(stopped.id)));
  }

  /** Who asked to stop a workstream that has not ended since; null where that was not asked for. */
  stoppedBy(workstreamId: string): string | null {
    return this.#stops.get(workstreamId) ?? null;
  }

  isStopped(index: number): boolean {
    return this.#stopOf(index) !== null;
  }

  #stopOf(index: number): string | null {
    return this.#stops.size === 0 ? null : this.stoppedBy(this.#parts.workstream(index).id);
  }

  /** Records one that was told to stop and that its agent did not begin. Returns whether it was. */
  endUnstarted(index: number): boolean {
    const by = this.#stopOf(index);
    if (by !== null) this.#recordStopped(index, by, NOT_BEGUN);
    return by !== null;
  }

  /** To be called after an attempt that another one is to follow: returns whether one may, or it is recorded as stopped. */
  mayFollow(index: number): boolean {
    const by = this.#stopOf(index);
    if (by === null) this.#begun.add(index);
    else this.#recordStopped(index, by, BETWEEN_ATTEMPTS);
    return by === null;
  }

  /** To be called when a workstream has its result. */
  ended(index: number): void {
    if (this.#stops.size > 0) this.#stops.delete(this.#parts.workstream(index).id);
    this.#begun.delete(index);
  }

  /** See `Coordinator.reopen`. */
  reopen(index: number, by: string): ReopenOutcome {
    const { results, executions, isOver, isEnding, refusal } = this.#parts;
    if (isOver() || isEnding()) return { did: 'run-ending' };
    const state = results.stateOf(index);
    if (state === 'open' || executions.has(index)) return { did: 'not-ended' };
    if (state === 'other') return { did: 'not-failed' };
    const failure = refusal(index);
    if (failure !== null) return { did: 'not-runnable', failure };
    return this.#reopenAll(results.withSkipped(index), by);
  }

  /** @param indices the one that failed first. */
  #reopenAll(indices: readonly number[], by: string): ReopenOutcome {
    const { runner, ready, results, meter, workstream, withdraw, onChange } = this.#parts;
    const at = isoTimestamp(Date.now());
    const ids = indices.map((each) => workstream(each).id);
    const [index = -1] = indices;
    const [id = ''] = ids;
    const attempts = withdraw(ids.map((workstreamId) => ({ workstreamId, by, at })));
    runner.restore(id, attempts);
    meter.reopen(index, attempts.length);
    const events = ids.map((workstreamId, place): RunEvent => {
      const [status, follows] = place === 0 ? (['failed', null] as const) : (['skipped', id] as const);
      return { type: 'workstream-reopened', workstreamId, at, by, status, follows };
    });
    results.reopen(indices, events, {
      has: (each) => ready.has(each) && !this.#begun.has(each),
      remove: (each) => ready.remove(each),
    });
    onChange();
    return {
      did: 'reopened',
      attempt: attempts.length + 1,
      state: this.#stateOf(index),
      others: ids.length - 1,
    };
  }

  #stateOf(index: number): 'ready' | 'blocked' | 'skipped' {
    const { results } = this.#parts;
    if (results.stateOf(index) !== 'open') return 'skipped';
    return results.isBlocked(index) ? 'blocked' : 'ready';
  }
}

const NOT_BEGUN = 'it had not begun';
const BETWEEN_ATTEMPTS = 'it waited for its next attempt';
