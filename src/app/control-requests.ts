/** Carries out what is asked for on the socket of a run. */
import {
  CONTROL_VERSION,
  type ControlAnswer,
  type ControlRequest,
  type ControlResult,
} from '../control/protocol.ts';
import { describeFailure } from '../domain/failure-message.ts';
import type { Plan } from '../domain/plan.ts';
import { idsNamed } from '../plan/select.ts';
import type { Coordinator } from '../run/coordinator.ts';
import type { ReopenOutcome, StopOutcome } from '../run/workstream-control.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { plural } from '../text/format.ts';

export interface ControlRequestsParts {
  runId: string;
  plan: Plan;
  coordinator: Pick<Coordinator, 'stop' | 'reopen' | 'interruption'>;
  /** Resolves when what was done is on the disk. */
  flush: () => Promise<void>;
  /** Ends the run, as the first Ctrl-C does. */
  interrupt: (by: string) => void;
  /** Sends a person who watches the run a sentence. */
  notify: (text: string) => void;
}

/** A name that was asked for, and the workstreams of the plan that it means; none for those that can't be executed. */
interface Named {
  id: string;
  index: number | null;
}

export class ControlRequests {
  readonly #parts: ControlRequestsParts;

  constructor(parts: ControlRequestsParts) {
    this.#parts = parts;
  }

  /** Rejects when what was done can't be recorded. */
  async handle(request: ControlRequest): Promise<ControlAnswer> {
    if (request.type === 'ping') return this.#answer([]);
    const { workstreams, by } = request;
    if (request.type === 'stop' && workstreams.length === 0) return this.#stopRun(by);
    const isStop = request.type === 'stop';
    const results = this.#named(workstreams).map((named) =>
      isStop ? this.#stop(named, by) : this.#retry(named, by),
    );
    await this.#parts.flush();
    return this.#answer(results);
  }

  #stopRun(by: string): ControlAnswer {
    const { coordinator, interrupt, notify } = this.#parts;
    if (coordinator.interruption === null) {
      notify(`The run is ended: ${by} asked for it.`);
      interrupt(by);
    }
    return this.#answer([]);
  }

  #answer(results: ControlResult[]): ControlAnswer {
    const { runId, coordinator } = this.#parts;
    return { version: CONTROL_VERSION, runId, results, isEnding: coordinator.interruption !== null };
  }

  /** Each workstream once, in the order in which they were asked for. */
  #named(patterns: readonly string[]): Named[] {
    const { plan } = this.#parts;
    const asked = new Set(
      idsNamed(plan, patterns).flatMap(({ pattern, ids }) => (ids.length === 0 ? [pattern] : ids)),
    );
    const indices = new Map<string, number>();
    plan.workstreams.forEach(({ id }, index) => {
      if (asked.has(id)) indices.set(id, index);
    });
    return [...asked].map((id) => ({ id, index: indices.get(id) ?? null }));
  }

  #stop({ id, index }: Named, by: string): ControlResult {
    if (index === null) return this.#withoutPlan(id, 'stop');
    const did = this.#parts.coordinator.stop(index, by);
    return { workstreamId: id, did, text: STOPPED[did](id) };
  }

  #retry({ id, index }: Named, by: string): ControlResult {
    if (index === null) return this.#withoutPlan(id, 'retry');
    try {
      const outcome = this.#parts.coordinator.reopen(index, by);
      return { workstreamId: id, did: outcome.did, text: this.#retryText(id, index, outcome) };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const text = `${id} stays as it is: its result can't be withdrawn now. ${error.message}`;
      return { workstreamId: id, did: 'not-recorded', text };
    }
  }

  #retryText(id: string, index: number, outcome: ReopenOutcome): string {
    const again = `millrace run --retry-failed ${this.#parts.runId} ${id}`;
    switch (outcome.did) {
      case 'not-ended':
        return `${id} has not ended.`;
      case 'not-failed':
        return `${id} did not fail: it completed, or was skipped. What was skipped because another one failed is open again when that one is tried again.`;
      case 'run-ending':
        return `The run starts nothing more. Once it has ended: ${again}`;
      case 'not-runnable':
        return `${id} would not be started: ${describeFailure(outcome.failure)}`;
      case 'reopened':
        return reopenedText(
          id,
          outcome,
          this.#parts.plan.workstreams[index]?.circuitBreaker.maxAttempts ?? 1,
        );
    }
  }

  /** Of a definition that can't be executed there is a result, and nothing to act on. */
  #withoutPlan(id: string, what: 'stop' | 'retry'): ControlResult {
    const { plan, runId } = this.#parts;
    if (!plan.broken.some((broken) => broken.id === id))
      return { workstreamId: id, did: 'unknown', text: `There is no workstream ${id} in ${runId}.` };
    if (what === 'stop') return { workstreamId: id, did: 'ended', text: STOPPED.ended(id) };
    const text = `The definition of ${id} can't be used by this run. Correct it, and once the run has ended: millrace run --retry-failed ${runId} ${id}`;
    return { workstreamId: id, did: 'not-runnable', text };
  }
}

const STOPPED: Record<StopOutcome, (id: string) => string> = {
  stopping: (id) => `${id} is being stopped.`,
  stopped: (id) => `${id} was stopped before it began.`,
  ended: (id) => `${id} has ended already.`,
  'run-ending': (id) => `${id} ends with the run, which is ending.`,
};

function reopenedText(
  id: string,
  { attempt, state, others }: Extract<ReopenOutcome, { did: 'reopened' }>,
  allowed: number,
): string {
  const beyond = attempt > allowed ? `, beyond its max_attempts of ${allowed}` : '';
  const what = {
    ready: `attempt ${attempt} follows as soon as an agent is free${beyond}`,
    blocked: `attempt ${attempt} follows once what it depends on has ended${beyond}`,
    skipped: 'it is skipped, because something that it depends on did not complete',
  }[state];
  const more =
    others === 0
      ? ''
      : ` ${plural(others, 'workstream')} that had been skipped for it ${others === 1 ? 'is' : 'are'} open again too.`;
  return `${id} is open again: ${what}.${more}`;
}
