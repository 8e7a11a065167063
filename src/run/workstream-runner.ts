/** One attempt at a workstream: a workspace, the execution, what changed, and what follows from it. */
import type { AgentResult } from '../domain/agent-result.ts';
import type { Limits } from '../domain/assignment.ts';
import type { AttemptRecord } from '../domain/attempt.ts';
import type { Changes, Merge } from '../domain/changes.ts';
import type { Engine, EngineMessage } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import type { Json } from '../domain/json.ts';
import type { Outcome, StepResult } from '../domain/outcome.ts';
import type { ToolSettings } from '../domain/tool.ts';
import { isFailure, type Workspace } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import { AttemptHistory } from './attempt-history.ts';
import { attemptRecord } from './attempt-record.ts';
import { Budget, costOf } from './budget.ts';
import { compensationOf } from './compensation.ts';
import { type Interruption, whenInterrupted } from './interruption.ts';
import { judgeChanges, type OutsideScope } from './judge-changes.ts';
import { unexecutedOutcome, withFailure, withWarnings } from './outcome.ts';
import { executedResult } from './result.ts';
import { decideRetry, type RetryDecision } from './retry.ts';
import { ToolCircuit } from './tool-circuit.ts';
import type { Workplaces } from './workplaces.ts';

export interface RunnerParts {
  runId: string;
  engine: Engine;
  workplaces: Workplaces;
  limits: Limits;
  /** Absolute folder for the output of this run's workstreams. */
  logFolder: string;
  /** Reads stored outputs of workstreams, by id. */
  outputsOf: (ids: readonly string[]) => Record<string, Json>;
  /** How an agent calls the tools of a workstream, by the names that its steps use. */
  toolsOf: (agent: number, workstream: Workstream) => Record<string, ToolSettings>;
  /** The command of each gate. */
  gates: Record<string, string>;
  outsideScope: OutsideScope;
  /** US dollars that the run may cost; null for no limit. */
  maxCostUsd: number | null;
  /** Failures of a tool in a row that end its use; 0 for never. */
  toolCircuit: number;
}

/** One attempt that is to be made. */
export interface Task {
  workstream: Workstream;
  agent: number;
  agentId: string;
  /** Aborted when the run is interrupted. */
  signal: AbortSignal;
  /** Why the run is interrupted; null while it is not. */
  interruption: () => Interruption | null;
  onMessage: (message: EngineMessage) => void;
}

/** The end of an attempt: the final result, or another attempt after a pause. */
export type AttemptEnd =
  | { result: AgentResult; outcome: Outcome }
  | { result: null; attempt: number; failure: Failure; afterSeconds: number };

/** What an attempt found out. */
interface Attempt {
  task: Task;
  /** Null where none could be opened. */
  workspace: Workspace | null;
  outcome: Outcome;
  changes: Changes | null;
}

/** What is executed where, under which name its output is kept. */
interface Work {
  workstream: Workstream;
  workspace: Workspace;
  tools: Record<string, ToolSettings>;
  logName: string;
}

export class WorkstreamRunner {
  readonly #parts: RunnerParts;
  readonly #budget: Budget;
  readonly #circuit: ToolCircuit;
  readonly #history = new AttemptHistory();
  #executions = 0;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#budget = new Budget(parts.maxCostUsd);
    this.#circuit = new ToolCircuit(parts.toolCircuit);
  }

  /** Which attempt the next one is, counted from 1. */
  nextAttempt(workstreamId: string): number {
    return this.#history.next(workstreamId);
  }

  /** The failed attempts of a workstream that has no result yet. */
  earlierAttempts(workstreamId: string): readonly AttemptRecord[] {
    return this.#history.of(workstreamId);
  }

  /** Why this agent is not to start a workstream at all; null when it may. */
  refusal(agent: number, workstream: Workstream): Failure | null {
    const tools = Object.values(this.#parts.toolsOf(agent, workstream));
    if (tools.length === 0) return null;
    const refused = tools.map(({ name }) => this.#circuit.refusal(name)).find((refusal) => refusal !== null);
    return refused ?? this.#budget.refusal();
  }

  /** Never rejects because of what a workstream, a tool or a repository did. */
  async attempt(task: Task): Promise<AttemptEnd> {
    const attempt = await this.#make(task);
    this.#account(attempt);
    const { failure } = attempt.outcome;
    if (failure === null) return this.#accept(attempt);
    const decision = this.#decide(attempt, failure);
    if (!decision.again) return this.#giveUp(attempt, decision.gaveUp);
    await this.#close(attempt);
    const number = this.#history.of(task.workstream.id).length;
    return { result: null, attempt: number, failure, afterSeconds: decision.afterSeconds };
  }

  async #make(task: Task): Promise<Attempt> {
    const { workstream, agent, agentId } = task;
    const number = this.#history.next(workstream.id);
    const workspace = await this.#parts.workplaces.open(workstream, agentId, number);
    if (isFailure(workspace)) {
      return { task, workspace: null, outcome: unexecutedOutcome(workspace), changes: null };
    }
    const tools = this.#parts.toolsOf(agent, workstream);
    const logName = number === 1 ? workstream.id : `${workstream.id}.${number}`;
    const executed = await this.#execute(task, { workstream, workspace, tools, logName });
    const outcome = whenInterrupted(executed, task.interruption());
    const changes = await this.#parts.workplaces.harvest(workstream, workspace);
    if (changes === null) return { task, workspace, outcome, changes };
    if ('reason' in changes)
      return { task, workspace, outcome: withFailure(outcome, changes), changes: null };
    return {
      task,
      workspace,
      changes,
      outcome: judge(workstream, outcome, changes, this.#parts.outsideScope),
    };
  }

  #execute(
    { agentId, signal, onMessage }: Task,
    { workstream, workspace, tools, logName }: Work,
  ): Promise<Outcome> {
    const { runId, engine, limits, logFolder, outputsOf, gates } = this.#parts;
    const { id, maxCostUsd, timeoutSeconds, dependsOn } = workstream;
    const dependencies = dependsOn.map((dependency) => dependency.id);
    this.#executions += 1;
    return engine.run(
      {
        executionId: this.#executions,
        runId,
        agentId,
        attempt: this.#history.next(id),
        workstream,
        workspace: workspace.folder,
        dependencies: dependencies.length === 0 ? {} : outputsOf(dependencies),
        logFile: `${logFolder}/${logName}.log`,
        limits: { ...limits, timeoutSeconds: timeoutSeconds ?? limits.timeoutSeconds },
        compiled: {},
        tools,
        gates,
        setup: workspace.setup,
        previousFailure: this.#history.lastFailure(id),
        budgetUsd: this.#budget.forAttempt({ limitUsd: maxCostUsd, spentUsd: this.#history.spentUsd(id) }),
      },
      { signal, onMessage },
    );
  }

  /** Takes what it cost, and how its tools did. */
  #account({ outcome }: Attempt): void {
    const reports = reportsOf(outcome);
    this.#budget.spend(costOf(reports).knownUsd ?? 0);
    for (const { tool } of reports) this.#circuit.record(tool, outcome.failure);
    const { failure } = outcome;
    // A tool that could not even be started reported nothing.
    if (failure !== null && 'tool' in failure && reports.length === 0)
      this.#circuit.record(failure.tool, failure);
  }

  #decide({ task, outcome, changes }: Attempt, failure: Failure): RetryDecision {
    const { workstream, agentId } = task;
    const { id, circuitBreaker, maxCostUsd } = workstream;
    const record = attemptRecord(this.#history.next(id), agentId, outcome, failure, changes);
    const decision = decideRetry(circuitBreaker, [...this.#history.of(id), record], maxCostUsd);
    if (decision.again) this.#history.add(id, record, failure);
    return decision;
  }

  async #accept(attempt: Attempt): Promise<AttemptEnd> {
    const { task, workspace, changes } = attempt;
    const merge =
      workspace === null ? null : await this.#parts.workplaces.accept(task.workstream, workspace, changes);
    return this.#end(await this.#close(attempt), { merge, gaveUp: null, compensation: [] });
  }

  async #giveUp(attempt: Attempt, gaveUp: string | null): Promise<AttemptEnd> {
    const compensation = attempt.task.signal.aborted ? [] : await this.#compensate(attempt);
    return this.#end(await this.#close(attempt), { merge: null, gaveUp, compensation });
  }

  async #compensate({ task, workspace }: Attempt): Promise<StepResult[]> {
    const workstream = compensationOf(task.workstream);
    if (workstream === null || workspace === null) return [];
    const logName = `${workstream.id}.compensation`;
    const place = { ...workspace, setup: null };
    return (await this.#execute(task, { workstream, workspace: place, tools: {}, logName })).steps;
  }

  async #close(attempt: Attempt): Promise<Attempt> {
    const { task, workspace, outcome } = attempt;
    if (workspace === null) return attempt;
    const error = await this.#parts.workplaces.close(task.workstream, workspace);
    if (error === null) return attempt;
    return { ...attempt, outcome: withWarnings(outcome, [`Its workspace was left: ${error.detail}`]) };
  }

  #end(
    { task, outcome, changes }: Attempt,
    end: { merge: Merge | null; compensation: StepResult[]; gaveUp: string | null },
  ): AttemptEnd {
    const { workstream, agentId } = task;
    const known = withWarnings(outcome, this.#unknownCosts(workstream, outcome));
    const earlierAttempts = this.#history.take(workstream.id);
    const execution = { agentId, outcome: known, changes, earlierAttempts, ...end };
    return { result: executedResult(this.#parts.runId, workstream, execution), outcome: known };
  }

  /** A limit that can't be enforced has to be said. */
  #unknownCosts({ maxCostUsd }: Workstream, outcome: Outcome): string[] {
    if (maxCostUsd === null && this.#parts.maxCostUsd === null) return [];
    const { unknown } = costOf(reportsOf(outcome));
    return unknown.length === 0
      ? []
      : [`What ${unknown.join(' and ')} cost is not known and does not count.`];
  }
}

/** A success is judged by what changed; a failure stays what it is. */
function judge(workstream: Workstream, outcome: Outcome, changes: Changes, policy: OutsideScope): Outcome {
  const noted = withWarnings(outcome, changes.notes);
  if (outcome.failure !== null) return noted;
  const { failure, warnings } = judgeChanges(workstream, changes, policy);
  const warned = withWarnings(noted, warnings);
  return failure === null ? warned : withFailure(warned, failure);
}

const reportsOf = ({ steps }: Outcome) => steps.flatMap(({ tool }) => (tool === null ? [] : [tool]));
