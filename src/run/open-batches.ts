/** The batches that agents have: which of their members are still open, and what becomes of those that are given back. */
import { type BatchOutcome, MemberStops } from '../domain/engine.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { AgentContext } from './attempt/attempt-runner.ts';
import type { AttemptEnd, WorkstreamRunner } from './attempt/workstream-runner.ts';
import type { BatchStart, Dispatcher } from './dispatcher.ts';
import type { FinalResult } from './final-results.ts';
import type { WorkEvents } from './work-events.ts';

export interface OpenBatchesParts {
  runner: Pick<WorkstreamRunner, 'executeBatch' | 'concludeMember'>;
  dispatcher: Pick<Dispatcher, 'release' | 'giveBack'>;
  events: WorkEvents;
  /** Aborted with the error that ends the run. */
  failure: AbortController;
  workstream: (index: number) => Workstream;
  contextOf: (agent: number) => AgentContext;
  /** Adds the final result of an attempt that has ended to `finals`, or has another attempt follow. */
  follow: (index: number, context: AgentContext, end: AttemptEnd, finals: FinalResult[]) => void;
  /** Throws where results can't be recorded, as `recordStopped` does. */
  record: (finals: readonly FinalResult[]) => void;
  /** Whether it was told to stop. */
  isStopped: (index: number) => boolean;
  /** Records that it was stopped before it began. */
  recordStopped: (index: number) => void;
  /** Called when agents have fewer workstreams than before. */
  onChange: () => void;
}

/** What an agent was given at once. */
interface OpenBatch {
  context: AgentContext;
  /** Of the workstreams, by position. */
  indices: readonly number[];
  /** By position: 1 for a workstream that has no outcome and was not given back. */
  isOpen: Uint8Array;
  stops: MemberStops;
}

export class OpenBatches {
  readonly #parts: OpenBatchesParts;
  readonly #open = new Set<OpenBatch>();

  constructor(parts: OpenBatchesParts) {
    this.#parts = parts;
  }

  /** Whether an agent has it in a batch. */
  has(index: number): boolean {
    return this.#find(index) !== null;
  }

  /** Stops a workstream that an agent has in a batch: one that had not begun is given back before this returns. */
  stop(index: number): void {
    const batch = this.#find(index);
    batch?.stops.stop(batch.indices.indexOf(index));
  }

  #find(index: number): OpenBatch | null {
    for (const batch of this.#open) {
      const position = batch.indices.indexOf(index);
      if (position !== -1 && batch.isOpen[position] === 1) return batch;
    }
    return null;
  }

  /** Never rejects. What its agent did not start soon may be taken by any agent. */
  async execute({ agent, indices, queued }: BatchStart): Promise<void> {
    const { runner, events, failure, workstream, contextOf } = this.#parts;
    const context = contextOf(agent);
    const batch = {
      context,
      indices,
      isOpen: new Uint8Array(indices.length).fill(1),
      stops: new MemberStops(),
    };
    this.#open.add(batch);
    const isQueued = (position: number): boolean => queued || position > 0;
    try {
      events.started(
        indices.map((index, position) => ({ index, queued: isQueued(position) })),
        context,
      );
      await runner.executeBatch(indices.map(workstream), context, {
        stops: batch.stops,
        onOutcomes: (outcomes) => this.#take(batch, outcomes),
        onReturned: (positions) => this.#giveBack(batch, positions),
        onBegun: (position, at) => {
          if (isQueued(position)) events.begun(indices[position] ?? -1, context, at);
        },
      });
    } catch (error) {
      failure.abort(error);
    }
    this.#giveBack(batch, [...batch.isOpen.keys()]);
    this.#open.delete(batch);
  }

  /** Never throws: the engine calls it. */
  #take({ context, indices, isOpen }: OpenBatch, outcomes: readonly BatchOutcome[]): void {
    const { runner, dispatcher, failure, workstream, follow, record, onChange } = this.#parts;
    const finals: FinalResult[] = [];
    try {
      for (const { index: position, outcome } of outcomes) {
        const index = indices[position] ?? -1;
        follow(index, context, runner.concludeMember(workstream(index), context, outcome), finals);
      }
      record(finals);
    } catch (error) {
      failure.abort(error);
    }
    for (const { index: position } of outcomes) {
      isOpen[position] = 0;
      dispatcher.release(context.agent, indices[position] ?? -1);
    }
    onChange();
  }

  /** Gives back those at these positions that have no outcome. Never throws: the engine calls it. */
  #giveBack({ context, indices, isOpen }: OpenBatch, positions: readonly number[]): void {
    const { dispatcher, events, failure, isStopped, recordStopped, onChange } = this.#parts;
    const left = positions.filter((position) => isOpen[position] === 1);
    for (const position of left) isOpen[position] = 0;
    const returned = left.map((position) => indices[position] ?? -1);
    const stopped = returned.filter(isStopped);
    const again = stopped.length === 0 ? returned : returned.filter((index) => !isStopped(index));
    for (const index of stopped) dispatcher.release(context.agent, index);
    try {
      for (const index of stopped) recordStopped(index);
      events.ready(again);
    } catch (error) {
      failure.abort(error);
    }
    for (const index of again) dispatcher.giveBack(context.agent, index);
    onChange();
  }
}
