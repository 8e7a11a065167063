/** Tells of workstreams that are under way: when they are ready, start, begin, send something, and wait for another attempt. */
import type { Failure } from '../domain/failure.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Plan } from '../domain/plan.ts';
import type { EventOf, RunEvent } from '../domain/run-event.ts';
import type { Workstream } from '../domain/workstream.ts';
import { isoTimestamp } from '../text/format.ts';
import type { ReportedMessage } from './attempt/attempt-runner.ts';
import type { WorkstreamRunner } from './attempt/workstream-runner.ts';
import type { Journal } from './journal.ts';

export interface WorkEventsParts {
  plan: Plan;
  journal: Journal;
  runner: Pick<WorkstreamRunner, 'nextAttempt' | 'limits'>;
  /** Aborted with the error that ends the run. */
  failure: AbortController;
}

/** An agent, where that is all that is told of it. */
interface Named {
  agentId: string;
}

/** A start that is to be told. */
interface Started {
  index: number;
  /** Whether it only waits for its agent. */
  queued: boolean;
}

export class WorkEvents {
  readonly #parts: WorkEventsParts;
  /** Index of each workstream, by its id; made when it is first needed. */
  #indices: Map<string, number> | null = null;

  constructor(parts: WorkEventsParts) {
    this.#parts = parts;
  }

  ready(indices: readonly number[]): void {
    const eventOf = (index: number): RunEvent => ({
      type: 'workstream-ready',
      workstreamId: this.#workstream(index).id,
    });
    this.#parts.journal.publishAll(indices.map(eventOf));
  }

  started(starts: readonly Started[], agent: Named): void {
    const at = isoTimestamp(Date.now());
    this.#parts.journal.publishAll(
      starts.map(({ index, queued }) => this.#startOf(index, agent, queued, at)),
    );
  }

  /**
   * What was queued has begun. Never throws: an engine calls it.
   * @param at in milliseconds since 1970.
   */
  begun(index: number, agent: Named, at: number): void {
    const { journal, failure } = this.#parts;
    try {
      const { queued: _, ...start } = this.#startOf(index, agent, true, isoTimestamp(at));
      journal.publish({ ...start, type: 'workstream-begun' });
    } catch (error) {
      failure.abort(error);
    }
  }

  retrying(
    index: number,
    { agentId }: Named,
    next: { attempt: number; failure: Failure; afterSeconds: number },
  ): void {
    const { attempt, failure, afterSeconds } = next;
    this.#parts.journal.publish({
      type: 'workstream-retrying',
      workstreamId: this.#workstream(index).id,
      agentId,
      attempt,
      reason: failure.reason,
      explanation: describeFailure(failure),
      afterSeconds,
    });
  }

  /** What an engine reports of a workstream that is executed. */
  reported(workstreamId: string, { agentId }: Named, message: ReportedMessage): void {
    const { journal, runner } = this.#parts;
    switch (message.type) {
      case 'began':
        return this.begun(this.#indexOf(workstreamId), message, message.at);
      case 'progress': {
        const { fraction, text } = message;
        runner.limits.answered(workstreamId);
        return journal.publish({ type: 'workstream-progress', workstreamId, agentId, fraction, text });
      }
      case 'log':
        return journal.publish({ type: 'workstream-log', workstreamId, agentId, line: message.line });
      case 'replaced':
        return journal.publish({ type: 'agent-replaced', agentId, why: message.why });
    }
  }

  /** Written out, because it is made for each workstream. */
  #startOf(index: number, { agentId }: Named, queued: boolean, at: string): EventOf<'workstream-started'> {
    const { plan, runner } = this.#parts;
    const { id, title } = this.#workstream(index);
    return {
      type: 'workstream-started',
      workstreamId: id,
      title,
      agentId,
      attempt: runner.nextAttempt(id),
      queued,
      at,
      expectedSeconds: plan.known > 0 ? (plan.expectedSeconds[index] ?? null) : null,
    };
  }

  #indexOf(workstreamId: string): number {
    this.#indices ??= new Map(this.#parts.plan.workstreams.map(({ id }, index) => [id, index]));
    return this.#indices.get(workstreamId) ?? -1;
  }

  #workstream(index: number): Workstream {
    const workstream = this.#parts.plan.workstreams[index];
    if (workstream === undefined) throw new RangeError(`there is no workstream ${index} in the plan`);
    return workstream;
  }
}
