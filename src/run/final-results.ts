/** The final results of a run: records each once, and settles what follows from it for dependents. */
import type { AgentResult, LimitWait } from '../domain/agent-result.ts';
import type { AttemptRecord } from '../domain/attempt.ts';
import type { Failure } from '../domain/failure.ts';
import type { EarlierResult, Inheritance } from '../domain/history/earlier-run.ts';
import type { Plan } from '../domain/plan.ts';
import type { EventOf, RunEvent } from '../domain/run-event.ts';
import type { Workstream } from '../domain/workstream.ts';
import { Budget } from './attempt/ledgers.ts';
import { brokenResult, skippedResult } from './attempt/result.ts';
import { DependencyTracker, type Doomed } from './dependency-tracker.ts';
import type { Journal } from './journal.ts';

export interface FinalResultsParts {
  runId: string;
  plan: Plan;
  journal: Pick<Journal, 'publish' | 'publishAll' | 'commit'>;
  /** Dependencies that are not part of this run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  /** Results, attempts and costs of earlier sessions. */
  inheritance: Inheritance;
  /** The failed attempts of a workstream that has no result yet. */
  earlierAttempts: (workstreamId: string) => readonly AttemptRecord[];
  /** Executions of a workstream without a result that met a usage limit. */
  limitWaits: (workstreamId: string) => readonly LimitWait[];
  /** Why a workstream is not started whatever happens in the run; null where it may be. */
  refusal: (workstream: Workstream) => Failure | null;
  /** Called with workstreams whose dependencies have been met; not with those that have none. */
  onReady: (indices: readonly number[]) => void;
  /** Called with each final result after it was published; null for none. */
  onFinal: ((result: AgentResult) => void) | null;
}

/** The final row of the workstream with this index. */
export interface FinalResult {
  index: number;
  result: AgentResult;
}

const NOT_EARLIER =
  'is not part of this run and has not completed earlier as it is now defined (use --with-dependencies)';

const LEFT = 'it was left out when the run was resumed';

/** What is known of the result of a workstream: that it has none, or what of it has a say in whether it may be opened again. */
const OPEN = 0;
const FAILED = 1;
/** Because something that it depends on did not complete. */
const SKIPPED_FOR_OTHERS = 2;
const OTHER = 3;

const kindOf = ({ status, reason }: Pick<EarlierResult, 'status' | 'reason'>): number => {
  if (status === 'failed') return FAILED;
  return reason === 'dependency-failed' ? SKIPPED_FOR_OTHERS : OTHER;
};

export class FinalResults {
  readonly #parts: FinalResultsParts;
  readonly #dependencies: DependencyTracker;
  /** By workstream, one of the kinds above. */
  readonly #final: Uint8Array;
  /** Whether workstreams were left for another session. */
  haveLeft = false;
  /** How many have failed in this session. */
  failed = 0;

  constructor(parts: FinalResultsParts) {
    this.#parts = parts;
    const { workstreams } = parts.plan;
    const kept = new Map(parts.inheritance.kept.map((result) => [result.workstreamId, kindOf(result)]));
    this.#final = Uint8Array.from(workstreams, ({ id }) => kept.get(id) ?? OPEN);
    this.#dependencies = new DependencyTracker(
      workstreams,
      this.#final.map((kind) => (kind === OPEN ? 0 : 1)),
    );
  }

  /** Settles what is decided before anything is executed. Returns the workstreams that depend on nothing. */
  settleKnown(): number[] {
    const { runId, plan, outside, inheritance } = this.#parts;
    const free = this.#dependencies.free();
    this.#record(plan.broken.map((broken) => brokenResult(runId, broken)));
    for (const [workstreamId, met] of outside) {
      const status = met ? 'completed' : 'skipped';
      this.#settle([{ workstreamId, status, reason: null, detail: NOT_EARLIER }]);
    }
    this.#settle(inheritance.kept);
    plan.workstreams.forEach((workstream, index) => this.#decide(index, workstream));
    return free.filter((index) => this.#isOpen(index));
  }

  #decide(index: number, workstream: Workstream): void {
    const { runId, inheritance, refusal } = this.#parts;
    const { id, title, source, hash } = workstream;
    if (inheritance.left.has(id)) this.#leave(index, workstream);
    if (!this.#isOpen(index)) return;
    const crash = inheritance.crashed.get(id);
    if (crash !== undefined) {
      this.record(index, brokenResult(runId, { id, title, source, failure: crash }, hash));
      return;
    }
    const refused = refusal(workstream);
    if (refused !== null) this.record(index, this.skipped(workstream, refused));
  }

  /** Records the final row of one workstream; see `recordAll`. */
  record(index: number, result: AgentResult): void {
    this.recordAll([{ index, result }]);
  }

  /** Records final rows together; commits at once where they make a dependent ready. */
  recordAll(finals: readonly FinalResult[]): void {
    const results = finals.map(({ result }) => result);
    for (const { index, result } of finals) this.#final[index] = kindOf(result);
    this.#record(results);
  }

  /** The row of a workstream that is not executed. */
  skipped(workstream: Workstream, failure: Failure): AgentResult {
    const { runId, earlierAttempts, limitWaits } = this.#parts;
    const { id } = workstream;
    return skippedResult(runId, workstream, failure, earlierAttempts(id), limitWaits(id));
  }

  /**
   * Skips every workstream without a final status, so that the totals add up.
   * @param why the run ended before; null where it did not.
   */
  skipTheRest(why: Failure | null): void {
    this.#parts.plan.workstreams.forEach((workstream, index) => {
      if (!this.#isOpen(index)) return;
      if (why === null) throw new Error(`${workstream.id} was never assigned to an agent`);
      const result = this.skipped(workstream, why);
      this.#parts.journal.publish({ type: 'workstream-finished', result });
      this.#parts.onFinal?.(result);
    });
  }

  /** What depends on one that was interrupted is skipped as interrupted at the end. */
  #record(results: readonly AgentResult[]): void {
    const settled: AgentResult[] = [];
    for (const result of results) {
      if (result.reason !== 'interrupted' && this.#dependencies.hasDependents(result.workstreamId))
        settled.push(result);
    }
    this.#settle(settled, results);
  }

  /** The workstream and its dependents stay interrupted although the run goes on. */
  #leave(index: number, workstream: Workstream): void {
    if (!this.#isOpen(index)) return;
    this.#final[index] = OTHER;
    this.haveLeft = true;
    const result = this.skipped(workstream, { reason: 'interrupted', detail: LEFT });
    this.#settle([result], [result]);
  }

  /** Publishes results, and settles workstreams for their dependents. */
  #settle(settled: readonly Settled[], results: readonly AgentResult[] = []): void {
    const { journal, onReady, onFinal } = this.#parts;
    const events = results.map(finishedEvent);
    for (const { status } of results) if (status === 'failed') this.failed += 1;
    const unlocked: number[] = [];
    for (const each of settled) {
      if (!this.#dependencies.hasDependents(each.workstreamId)) continue;
      const { ready, doomed } = this.#dependencies.settle(each.workstreamId, each.status, detailOf(each));
      for (const each of doomed) events.push(...this.#skip(each));
      for (const index of ready) unlocked.push(index);
    }
    journal.publishAll(events);
    if (onFinal !== null) for (const { result } of events) onFinal(result);
    if (unlocked.length === 0) return;
    journal.commit();
    onReady(unlocked.filter((index) => this.#isOpen(index)));
  }

  /** The event of one that will not be executed; none where it has its result. */
  #skip({ index, failure }: Doomed): EventOf<'workstream-finished'>[] {
    const { plan, runId, earlierAttempts } = this.#parts;
    const workstream = plan.workstreams[index];
    if (workstream === undefined || !this.#isOpen(index)) return [];
    this.#final[index] = SKIPPED_FOR_OTHERS;
    return [finishedEvent(skippedResult(runId, workstream, failure, earlierAttempts(workstream.id)))];
  }

  #isOpen(index: number): boolean {
    return this.#final[index] === OPEN;
  }

  /** What may be done about the result of a workstream: `open` where it has none. */
  stateOf(index: number): 'open' | 'failed' | 'other' {
    if (this.#isOpen(index)) return 'open';
    return this.#final[index] === FAILED ? 'failed' : 'other';
  }

  /** Whether it waits for something that it depends on. */
  isBlocked(index: number): boolean {
    return this.#isOpen(index) && this.#dependencies.isBlocked(index);
  }

  /** One that failed, and those that were skipped for it, also through others. */
  withSkipped(index: number): number[] {
    const isSkipped = (other: number): boolean => this.#final[other] === SKIPPED_FOR_OTHERS;
    return [index, ...this.#dependencies.skippedFor(index, isSkipped)];
  }

  /**
   * Takes back the results of `withSkipped`, of which the store has none any more, and settles again what follows: each
   * is ready, blocked, or skipped for something else.
   * @param events that announce it.
   * @param ready whether a workstream is ready and has not begun, and what makes it wait again for the end of those that
   * are open again. Some of these become ready again at once.
   */
  reopen(
    indices: readonly number[],
    events: readonly RunEvent[],
    ready: { has: (index: number) => boolean; remove: (index: number) => void },
  ): void {
    const { journal, onReady } = this.#parts;
    for (const index of indices) {
      if (this.#final[index] === FAILED) this.failed -= 1;
      this.#final[index] = OPEN;
    }
    const {
      ready: unlocked,
      doomed,
      blocked,
    } = this.#dependencies.reopen(indices, (index) => ready.has(index));
    journal.publishAll([...events, ...doomed.flatMap((each) => this.#skip(each))]);
    journal.commit();
    for (const index of blocked) ready.remove(index);
    onReady(unlocked.filter((index) => this.#isOpen(index)));
  }
}

/** How a workstream ended, and what that means for its dependents where the reason does not say it. */
type Settled = Pick<EarlierResult, 'workstreamId' | 'status' | 'reason'> & { detail?: string };

const finishedEvent = (result: AgentResult): EventOf<'workstream-finished'> => ({
  type: 'workstream-finished',
  result,
});

/** Ends the sentence "It needs X, which …". */
function detailOf({ status, reason, detail }: Settled): string {
  if (detail !== undefined) return detail;
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
  const take = (event: RunEvent): void => {
    if (event.type === 'workstream-finished') results.push(event.result);
  };
  const budget = new Budget(maxCostUsd);
  budget.spend(inheritance.spentUsd);
  const decided = new FinalResults({
    runId: '',
    plan,
    outside,
    inheritance,
    journal: {
      publish: take,
      publishAll: (events) => events.forEach(take),
      commit: () => undefined,
    },
    earlierAttempts: () => [],
    limitWaits: () => [],
    refusal: (workstream) => budget.refusalOf(workstream),
    onReady: () => undefined,
    onFinal: null,
  });
  decided.settleKnown();
  return results;
}
