import type { AgentResult } from '../../domain/agent-result.ts';
import type { Merge } from '../../domain/changes.ts';
import type { Checkout } from '../../domain/history/history.ts';
import type { EventOf, RunEvent } from '../../domain/run-event.ts';
import { firstOf } from '../../text/cut-text.ts';

export type AgentsScaled = EventOf<'agents-scaled'>;
export type ToolParking = EventOf<'tool-parked' | 'tool-resumed'>;
export type KeptWork = EventOf<
  'session-began' | 'workstream-retrying' | 'candidate-ended' | 'candidate-reviewed'
>;
export type RunStarted = EventOf<'run-started'>;

/** Who executes a workstream. */
export interface InHand {
  agentId: string;
  since: string;
  /** From 1. */
  attempt: number;
}

export interface ProgressChange {
  fraction: number | null;
  activity: string;
}

const takenBy = ({
  agentId,
  at: since,
  attempt,
}: EventOf<'workstream-started' | 'workstream-begun'>): InHand => ({ agentId, since, attempt });

const ACTIVITY_LENGTH = 200;

/**
 * The events that are not written yet. Of a workstream only the last change is kept, and none once it has its result, so
 * that a batch is never longer than the rows that it writes.
 */
export class EventBatch {
  started: RunStarted | null = null;
  checkout: Checkout | null = null;
  /** Workstreams that an agent has taken in hand; null for those that none has any more. */
  readonly inHand = new Map<string, InHand | null>();
  readonly progress = new Map<string, ProgressChange>();
  readonly results: AgentResult[] = [];
  /** Of workstreams whose results are written already. */
  readonly merges = new Map<string, Merge>();
  readonly scalings: AgentsScaled[] = [];
  /** Changes of which tools wait for their usage limits. */
  readonly parkings: ToolParking[] = [];
  /** What workstreams without a result have done. */
  readonly keptWork: KeptWork[] = [];

  get isEmpty(): boolean {
    return (
      this.started === null &&
      this.checkout === null &&
      this.results.length === 0 &&
      this.inHand.size === 0 &&
      this.progress.size === 0 &&
      this.merges.size === 0 &&
      this.scalings.length === 0 &&
      this.parkings.length === 0 &&
      this.keptWork.length === 0
    );
  }

  add(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        this.started = event;
        return;
      case 'checkout-read':
        this.checkout = event.checkout;
        return;
      case 'workstream-retrying':
        this.keptWork.push(event);
        return this.#change(event.workstreamId, null);
      case 'workstream-ready':
        return this.#change(event.workstreamId, null);
      case 'workstream-started':
        if (event.queued) return undefined;
        return this.#change(event.workstreamId, takenBy(event));
      case 'workstream-begun':
        this.inHand.set(event.workstreamId, takenBy(event));
        return undefined;
      case 'workstream-progress': {
        const activity = firstOf(event.text, ACTIVITY_LENGTH);
        this.progress.set(event.workstreamId, { fraction: event.fraction, activity });
        return;
      }
      case 'workstream-finished':
        this.inHand.delete(event.result.workstreamId);
        this.progress.delete(event.result.workstreamId);
        this.results.push(event.result);
        return;
      case 'workstream-merged':
        return this.#merge(event.workstreamId, event.merge);
      case 'agents-scaled':
        this.scalings.push(event);
        return;
      case 'tool-parked':
      case 'tool-resumed':
        this.parkings.push(event);
        return;
      case 'session-began':
      case 'candidate-ended':
      case 'candidate-reviewed':
        this.keptWork.push(event);
        return;
      // It is recorded before it is published.
      case 'workstream-reopened':
      case 'workstream-log':
      case 'agent-replaced':
      case 'waiting-for-runs':
      case 'interrupting':
      case 'notice':
      case 'run-ended':
        return;
    }
  }

  /** Drops the first results, which are stored elsewhere. Their workstreams are in no hand any more. */
  forget(count: number): void {
    for (const { workstreamId } of this.results.splice(0, count)) this.inHand.set(workstreamId, null);
  }

  /** A result that is not written yet is written with it. */
  #merge(workstreamId: string, merge: Merge): void {
    const at = this.results.findLastIndex((result) => result.workstreamId === workstreamId);
    const result = this.results[at];
    if (result === undefined) this.merges.set(workstreamId, merge);
    else this.results[at] = { ...result, metadata: { ...result.metadata, merge } };
  }

  #change(workstreamId: string, change: InHand | null): void {
    this.progress.delete(workstreamId);
    this.inHand.set(workstreamId, change);
  }
}
