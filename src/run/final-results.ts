/** The final results of a run: records each once, and settles what follows from it for dependents. */
import type { AgentResult } from '../domain/agent-result.ts';
import type { AttemptRecord } from '../domain/attempt.ts';
import type { EarlierResult, Inheritance } from '../domain/earlier-run.ts';
import type { Failure } from '../domain/failure.ts';
import type { Plan } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import { Budget } from './attempt/ledgers.ts';
import type { Interruption } from './attempt/outcome.ts';
import { brokenResult, skippedResult } from './attempt/result.ts';
import { DependencyTracker } from './dependency-tracker.ts';
import type { Journal } from './journal.ts';

export interface FinalResultsParts {
  runId: string;
  plan: Plan;
  journal: Pick<Journal, 'publish' | 'commit'>;
  /** Dependencies that are not part of this run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  /** Results, attempts and costs of earlier sessions. */
  inheritance: Inheritance;
  /** The failed attempts of a workstream that has no result yet. */
  earlierAttempts: (workstreamId: string) => readonly AttemptRecord[];
  /** Why a workstream is not started whatever happens in the run; null where it may be. */
  refusal: (workstream: Workstream) => Failure | null;
  /** Called with each workstream whose dependencies have been met; not with those that have none. */
  onReady: (index: number) => void;
}

const NOT_EARLIER =
  'is not part of this run and has not completed earlier as it is now defined (use --with-dependencies)';

const LEFT = 'it was left out when the run was resumed';

export class FinalResults {
  readonly #parts: FinalResultsParts;
  readonly #dependencies: DependencyTracker;
  readonly #final: Uint8Array;
  /** Whether workstreams were left for another session. */
  haveLeft = false;

  constructor(parts: FinalResultsParts) {
    this.#parts = parts;
    const { workstreams } = parts.plan;
    const kept = new Set(parts.inheritance.kept.map(({ workstreamId }) => workstreamId));
    this.#final = Uint8Array.from(workstreams, ({ id }) => (kept.has(id) ? 1 : 0));
    this.#dependencies = new DependencyTracker(workstreams, this.#final);
  }

  /** Settles what is decided before anything is executed. Returns the workstreams that depend on nothing. */
  settleKnown(): number[] {
    const { runId, plan, outside, inheritance } = this.#parts;
    const free = this.#dependencies.free();
    for (const broken of plan.broken) this.#record(brokenResult(runId, broken));
    for (const [id, met] of outside) this.#settle(id, met ? 'completed' : 'skipped', NOT_EARLIER);
    for (const result of inheritance.kept) this.#settle(result.workstreamId, result.status, detailOf(result));
    for (const [index, workstream] of plan.workstreams.entries()) this.#decide(index, workstream);
    return free.filter((index) => this.#final[index] === 0);
  }

  #decide(index: number, workstream: Workstream): void {
    const { runId, inheritance, refusal } = this.#parts;
    const { id, title, source, hash } = workstream;
    if (inheritance.left.has(id)) this.#leave(index, workstream);
    if (this.#final[index] === 1) return;
    const crash = inheritance.crashed.get(id);
    if (crash !== undefined) {
      this.record(index, brokenResult(runId, { id, title, source, failure: crash }, hash));
      return;
    }
    const refused = refusal(workstream);
    if (refused !== null) this.record(index, this.skipped(workstream, refused));
  }

  /** Records the final row of the workstream with this index; commits at once where that makes a dependent ready. */
  record(index: number, result: AgentResult): void {
    this.#final[index] = 1;
    this.#record(result);
  }

  /** The row of a workstream that is not executed. */
  skipped(workstream: Workstream, failure: Failure): AgentResult {
    const { runId, earlierAttempts } = this.#parts;
    return skippedResult(runId, workstream, failure, earlierAttempts(workstream.id));
  }

  /** After an interruption every workstream without a final status is skipped, so that the totals add up. */
  skipTheRest(interruption: Interruption | null): void {
    for (const [index, workstream] of this.#parts.plan.workstreams.entries()) {
      if (this.#final[index] === 1) continue;
      if (interruption === null) throw new Error(`${workstream.id} was never assigned to an agent`);
      const failure: Failure = { reason: 'interrupted', detail: interruption.detail };
      const result = this.skipped(workstream, failure);
      this.#parts.journal.publish({ type: 'workstream-finished', result });
    }
  }

  #record(result: AgentResult): void {
    this.#parts.journal.publish({ type: 'workstream-finished', result });
    // What depends on it is skipped as interrupted at the end.
    if (result.reason === 'interrupted') return;
    this.#settle(result.workstreamId, result.status, detailOf(result));
  }

  /** The workstream and its dependents stay interrupted although the run goes on. */
  #leave(index: number, workstream: Workstream): void {
    if (this.#final[index] === 1) return;
    this.#final[index] = 1;
    this.haveLeft = true;
    const result = this.skipped(workstream, { reason: 'interrupted', detail: LEFT });
    this.#parts.journal.publish({ type: 'workstream-finished', result });
    this.#settle(workstream.id, 'skipped', detailOf(result));
  }

  /** Settles a workstream for its dependents. */
  #settle(id: string, status: AgentResult['status'], detail: string): void {
    if (!this.#dependencies.hasDependents(id)) return;
    const { plan, runId, journal, onReady } = this.#parts;
    const { ready, doomed } = this.#dependencies.settle(id, status, detail);
    for (const { index, failure } of doomed) {
      const workstream = plan.workstreams[index];
      if (workstream === undefined || this.#final[index] === 1) continue;
      this.#final[index] = 1;
      const result = skippedResult(runId, workstream, failure);
      journal.publish({ type: 'workstream-finished', result });
    }
    if (ready.length > 0) journal.commit();
    for (const index of ready) if (this.#final[index] === 0) onReady(index);
  }
}

/** Ends the sentence "It needs X, which …". */
function detailOf({ status, reason }: Pick<EarlierResult, 'status' | 'reason'>): string {
  const verb = status === 'skipped' ? 'was skipped' : status;
  return reason === null ? verb : `${verb} (${reason})`;
}

export interface Foreseen {
  plan: Plan;
  /** Dependencies that are not part of the run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  inheritance: Inheritance;
  /** US dollars that the run may cost; null for no limit. */
  maxCostUsd: number | null;
}

/**
 * The results that a run would record before it executes anything, decided by the same `FinalResults`. Records nothing.
 */
export function foresee({ plan, outside, inheritance, maxCostUsd }: Foreseen): AgentResult[] {
  const results: AgentResult[] = [];
  const budget = new Budget(maxCostUsd);
  budget.spend(inheritance.spentUsd);
  const decided = new FinalResults({
    runId: '',
    plan,
    outside,
    inheritance,
    journal: {
      publish: (event) => {
        if (event.type === 'workstream-finished') results.push(event.result);
      },
      commit: () => undefined,
    },
    earlierAttempts: () => [],
    refusal: (workstream) => budget.refusalOf(workstream),
    onReady: () => undefined,
  });
  decided.settleKnown();
  return results;
}
