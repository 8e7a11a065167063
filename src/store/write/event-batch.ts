import type { AgentResult } from '../../domain/agent-result.ts';
import type { EventOf, RunEvent } from '../../domain/run-event.ts';
import { firstOf } from '../../text/cut-text.ts';

export type AgentsScaled = EventOf<'agents-scaled'>;
export type RunStarted = EventOf<'run-started'>;

/** A new live state; it clears the progress of the previous one. */
export interface StateChange {
  state: 'pending' | 'running';
  agentId: string | null;
  since: string | null;
  /** Whether the next commit is soon enough: most queued workstreams have their result by then. */
  canWait: boolean;
}

export interface ProgressChange {
  fraction: number | null;
  activity: string;
}

const ACTIVITY_LENGTH = 200;

const PENDING: StateChange = { state: 'pending', agentId: null, since: null, canWait: false };

/**
 * The events that are not written yet. Of a workstream only the last live state is kept, and none once it has its
 * result, so that a batch is never longer than the rows that it writes.
 */
export class EventBatch {
  started: RunStarted | null = null;
  readonly states = new Map<string, StateChange>();
  readonly progress = new Map<string, ProgressChange>();
  readonly results: AgentResult[] = [];
  readonly scalings: AgentsScaled[] = [];

  get isEmpty(): boolean {
    return (
      this.started === null &&
      this.results.length === 0 &&
      this.states.size === 0 &&
      this.progress.size === 0 &&
      this.scalings.length === 0
    );
  }

  add(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        this.started = event;
        return;
      case 'workstream-ready':
      case 'workstream-retrying':
        return this.#change(event.workstreamId, PENDING);
      case 'workstream-started': {
        const { agentId, at: since, queued: canWait } = event;
        return this.#change(event.workstreamId, { state: 'running', agentId, since, canWait });
      }
      case 'workstream-progress': {
        const activity = firstOf(event.text, ACTIVITY_LENGTH);
        this.progress.set(event.workstreamId, { fraction: event.fraction, activity });
        return;
      }
      case 'workstream-finished':
        this.states.delete(event.result.workstreamId);
        this.progress.delete(event.result.workstreamId);
        this.results.push(event.result);
        return;
      case 'agents-scaled':
        this.scalings.push(event);
        return;
      case 'workstream-log':
      case 'agent-replaced':
      case 'waiting-for-runs':
      case 'interrupting':
      case 'notice':
      case 'run-ended':
        return;
    }
  }

  /** The states that this batch leaves to the next one, which must write them. */
  left(): EventBatch {
    const next = new EventBatch();
    for (const [id, change] of this.states) {
      if (!change.canWait) continue;
      next.states.set(id, { ...change, canWait: false });
      const progress = this.progress.get(id);
      if (progress !== undefined) next.progress.set(id, progress);
    }
    return next;
  }

  #change(workstreamId: string, change: StateChange): void {
    this.progress.delete(workstreamId);
    this.states.set(workstreamId, change);
  }
}
