/**
 * The main loop of a run, on the main thread: hands ready workstreams to free agents, takes their results as they
 * arrive, and goes on until every workstream has its final status.
 */
import type { AgentResult } from '../domain/agent-result.ts';
import type { Limits } from '../domain/assignment.ts';
import type { Engine, EngineMessage } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import type { Json } from '../domain/json.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Plan } from '../domain/plan.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { ReadyQueue } from '../plan/ready.ts';
import { Dependencies } from './dependencies.ts';
import type { Journal } from './journal.ts';
import { brokenResult, executedResult, markedDoneResult, skippedResult } from './result.ts';
import { SpeedMeter } from './speed-meter.ts';

/** What a person at the terminal wants done with a workstream. */
export type Decision = 'run' | 'skip' | 'done' | 'quit';

export interface CoordinatorParts {
  runId: string;
  plan: Plan;
  /** Names of the agents, in order. */
  agents: readonly string[];
  engine: Engine;
  ready: ReadyQueue;
  journal: Journal;
  limits: Limits;
  workspace: string;
  /** Absolute folder for the output of this run's workstreams. */
  logFolder: string;
  /** Dependencies that are not part of this run, and whether they count as met. */
  outside: ReadonlyMap<string, boolean>;
  /** Reads stored outputs of workstreams, by id. */
  outputsOf: (ids: readonly string[]) => Record<string, Json>;
  /** Asked before each workstream; null to run them all. */
  ask: ((workstream: Workstream, signal: AbortSignal) => Promise<Decision>) | null;
}

/** Why a run stopped before its end. */
export interface Interruption {
  /** A signal's name, or what a person did. */
  by: string;
  detail: string;
}

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #dependencies: Dependencies;
  readonly #meter: SpeedMeter;
  readonly #cancel = new AbortController();
  /** Free agents, longest idle first. */
  readonly #free: number[];
  readonly #final: Uint8Array;
  readonly #running = new Set<Promise<void>>();
  #interruption: Interruption | null = null;
  #fault: unknown = null;
  #executions = 0;
  #wake: () => void = () => undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { workstreams } = parts.plan;
    this.#dependencies = new Dependencies(workstreams);
    this.#meter = new SpeedMeter(workstreams);
    this.#final = new Uint8Array(workstreams.length);
    this.#free = parts.agents.map((_, index) => index);
  }

  get interruption(): Interruption | null {
    return this.#interruption;
  }

  get meter(): SpeedMeter {
    return this.#meter;
  }

  /**
   * Starts nothing new, tells what runs to stop, and lets `run` end with the rest skipped as interrupted.
   * Idempotent: the first interruption counts.
   */
  interrupt(interruption: Interruption): void {
    if (this.#interruption !== null) return;
    this.#interruption = interruption;
    this.#parts.journal.publish({
      type: 'interrupting',
      signal: interruption.by,
      running: this.#running.size,
    });
    this.#cancel.abort('interrupted');
    this.#wake();
  }

  /** Resolves when every workstream has its final row. Rejects only when results can't be recorded. */
  async run(): Promise<void> {
    this.#begin();
    for (;;) {
      if (this.#interruption === null && this.#fault === null) this.#handOut();
      if (this.#running.size === 0) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#fault !== null) throw this.#fault;
    this.#skipTheRest();
    await this.#parts.journal.flush();
  }

  /** Ends the run because results can't be kept any more. */
  fail(error: unknown): void {
    this.#fault ??= error;
    this.#cancel.abort('interrupted');
    this.#wake();
  }

  #begin(): void {
    const { plan, outside } = this.#parts;
    const free = this.#dependencies.free();
    for (const broken of plan.broken) {
      this.#keep(brokenResult(this.#parts.runId, broken));
    }
    for (const [id, met] of outside) {
      const detail =
        'is not part of this run and has not completed earlier as it is now defined (use --with-dependencies)';
      this.#follow(id, met ? 'completed' : 'skipped', detail);
    }
    for (const index of free) this.#makeReady(index);
  }

  #handOut(): void {
    const { ready } = this.#parts;
    for (let tries = this.#free.length; tries > 0 && ready.size > 0; tries -= 1) {
      const agent = this.#free.shift();
      if (agent === undefined) return;
      const index = ready.take(agent);
      if (index === undefined) this.#free.push(agent);
      else this.#start(agent, index);
    }
  }

  #start(agent: number, index: number): void {
    const workstream = this.#workstream(index);
    const work = this.#decideAndExecute(agent, index, workstream)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#running.delete(work);
        this.#parts.ready.release(index);
        this.#free.push(agent);
        this.#wake();
      });
    this.#running.add(work);
  }

  async #decideAndExecute(agent: number, index: number, workstream: Workstream): Promise<void> {
    const { ask, runId } = this.#parts;
    const decision = ask === null ? 'run' : await ask(workstream, this.#cancel.signal);
    if (this.#cancel.signal.aborted) return;
    switch (decision) {
      case 'run':
        return this.#execute(agent, index, workstream);
      case 'skip':
        return this.#keepFinal(index, skippedResult(runId, workstream, { reason: 'skipped-by-user' }));
      case 'done':
        return this.#keepFinal(index, markedDoneResult(runId, workstream));
      case 'quit':
        return this.interrupt({ by: 'quit', detail: 'the person at the terminal quit' });
    }
  }

  async #execute(agent: number, index: number, workstream: Workstream): Promise<void> {
    const { runId, journal, plan } = this.#parts;
    const agentId = this.#agentId(agent);
    const expected = plan.known > 0 ? (plan.expectedSeconds[index] ?? null) : null;
    journal.publish({
      type: 'workstream-started',
      workstreamId: workstream.id,
      title: workstream.title,
      agentId,
      attempt: 1,
      at: new Date().toISOString(),
      expectedSeconds: expected,
    });
    const outcome = await this.#runOnEngine(agentId, workstream);
    this.#meter.add(index, outcome);
    this.#keepFinal(index, executedResult(runId, agentId, 1, workstream, this.#asInterrupted(outcome)));
  }

  #runOnEngine(agentId: string, workstream: Workstream): Promise<Outcome> {
    const { runId, engine, limits, workspace, logFolder, outputsOf } = this.#parts;
    const dependencies = workstream.dependsOn.map(({ id }) => id);
    this.#executions += 1;
    return engine.run(
      {
        executionId: this.#executions,
        runId,
        agentId,
        attempt: 1,
        workstream,
        workspace,
        dependencies: dependencies.length === 0 ? {} : outputsOf(dependencies),
        logFile: `${logFolder}/${workstream.id}.log`,
        limits: { ...limits, timeoutSeconds: workstream.timeoutSeconds ?? limits.timeoutSeconds },
        compiled: {},
        tools: {},
        gates: {},
        setup: null,
        previousFailure: null,
        budgetUsd: null,
      },
      {
        signal: this.#cancel.signal,
        onMessage: (message) => this.#relay(message, agentId, workstream.id),
      },
    );
  }

  #relay(message: EngineMessage, agentId: string, workstreamId: string): void {
    const { journal } = this.#parts;
    switch (message.type) {
      case 'progress':
        return journal.publish({
          type: 'workstream-progress',
          workstreamId,
          agentId,
          fraction: message.fraction,
          text: message.text,
        });
      case 'log':
        return journal.publish({ type: 'workstream-log', workstreamId, agentId, line: message.line });
      case 'replaced':
        return journal.publish({ type: 'agent-replaced', agentId, why: message.why });
    }
  }

  /** Whatever a thread that was ended by an interruption gave as its failure, the interruption was the cause. */
  #asInterrupted(outcome: Outcome): Outcome {
    if (this.#interruption === null || outcome.failure === null) return outcome;
    const failure: Failure = { reason: 'interrupted', detail: this.#interruption.detail };
    return { ...outcome, failure };
  }

  #keepFinal(index: number, result: AgentResult): void {
    this.#final[index] = 1;
    this.#keep(result);
  }

  /** Records a final row, and at once where a dependent's start may be the consequence. */
  #keep(result: AgentResult): void {
    this.#parts.journal.publish({ type: 'workstream-finished', result });
    // What needs it was interrupted as well, and is told so at the end.
    if (result.reason === 'interrupted') return;
    const why = result.reason === null ? '' : ` (${result.reason})`;
    const verb = result.status === 'skipped' ? 'was skipped' : result.status;
    this.#follow(result.workstreamId, result.status, `${verb}${why}`);
  }

  /** Settles an id and everything that follows from it. */
  #follow(id: string, status: AgentResult['status'], detail: string): void {
    if (!this.#dependencies.hasDependents(id)) return;
    const { runId, journal } = this.#parts;
    const { ready, doomed } = this.#dependencies.settle(id, status, detail);
    for (const { index, failure } of doomed) {
      this.#final[index] = 1;
      const result = skippedResult(runId, this.#workstream(index), failure);
      journal.publish({ type: 'workstream-finished', result });
    }
    if (ready.length > 0) journal.commit();
    for (const index of ready) this.#makeReady(index);
  }

  #makeReady(index: number): void {
    this.#parts.ready.add(index);
    this.#parts.journal.publish({ type: 'workstream-ready', workstreamId: this.#workstream(index).id });
  }

  /** After an interruption every workstream without a final status is skipped, so that the totals add up. */
  #skipTheRest(): void {
    const interruption = this.#interruption;
    for (const [index, workstream] of this.#parts.plan.workstreams.entries()) {
      if (this.#final[index] === 1) continue;
      if (interruption === null) throw new Error(`${workstream.id} was never handed out`);
      const failure: Failure = { reason: 'interrupted', detail: interruption.detail };
      const result = skippedResult(this.#parts.runId, workstream, failure);
      this.#parts.journal.publish({ type: 'workstream-finished', result });
    }
  }

  #workstream(index: number): Workstream {
    const workstream = this.#parts.plan.workstreams[index];
    if (workstream === undefined) throw new RangeError(`there is no workstream ${index} in the plan`);
    return workstream;
  }

  #agentId(agent: number): string {
    return this.#parts.agents[agent] ?? `agent-${agent + 1}`;
  }
}
