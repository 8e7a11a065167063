/** Makes one attempt at a workstream: a workspace, the execution in it, and what changed. */
import type { Limits } from '../domain/assignment.ts';
import type { Changes } from '../domain/changes.ts';
import type { Engine, EngineMessage } from '../domain/engine.ts';
import type { Json } from '../domain/json.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ToolReport, ToolSettings } from '../domain/tool.ts';
import { isFailure, type Workspace } from '../domain/workspaces.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { AttemptHistory } from './attempt-history.ts';
import { type Budget, costOf } from './budget.ts';
import { type Interruption, whenInterrupted } from './interruption.ts';
import { judgeChanges, type OutsideScope } from './judge-changes.ts';
import { unexecutedOutcome, withFailure, withWarnings } from './outcome.ts';
import type { ToolCircuit } from './tool-circuit.ts';
import type { Workplaces } from './workplaces.ts';
import { beginNow, measured } from '../support/stopwatch.ts';

export interface MakerParts {
  runId: string;
  engine: Engine;
  workplaces: Workplaces;
  limits: Limits;
  /** Absolute folder for the output of this run's workstreams. */
  logFolder: string;
  /** Reads stored outputs of workstreams, by id. */
  outputsOf: (ids: readonly string[]) => Record<string, Json>;
  /** The command of each gate. */
  gates: Record<string, string>;
  outsideScope: OutsideScope;
}

/** What the attempts of a run have in common and each of them changes. */
export interface Ledgers {
  history: AttemptHistory;
  budget: Budget;
  circuit: ToolCircuit;
}

/** A workstream in the hand of an agent. */
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

/** How an attempt is made. */
export interface Work {
  /** Which attempt it is, counted from 1. */
  number: number;
  tools: Record<string, ToolSettings>;
  /** Under which name its output is kept. */
  logName: string;
}

/** What an attempt found out. Its workspace is still open. */
export interface Attempt {
  task: Task;
  number: number;
  /** Null where none could be opened. */
  workspace: Workspace | null;
  outcome: Outcome;
  changes: Changes | null;
}

export class AttemptMaker {
  readonly #parts: MakerParts;
  readonly #ledgers: Ledgers;
  #executions = 0;

  constructor(parts: MakerParts, ledgers: Ledgers) {
    this.#parts = parts;
    this.#ledgers = ledgers;
  }

  /** Never rejects because of what a workstream, a tool or a repository did. */
  async make(task: Task, work: Work): Promise<Attempt> {
    const attempt = await this.#carryOut(task, work);
    this.#account(attempt.outcome);
    return attempt;
  }

  /** Executes in a workspace that is open already. */
  execute(task: Task, workspace: Workspace, { number, tools, logName }: Work): Promise<Outcome> {
    const { runId, engine, limits, logFolder, outputsOf, gates } = this.#parts;
    const { workstream, agentId, signal, onMessage } = task;
    const { history, budget } = this.#ledgers;
    const { id, maxCostUsd, timeoutSeconds, dependsOn } = workstream;
    const dependencies = dependsOn.map((dependency) => dependency.id);
    this.#executions += 1;
    return engine.run(
      {
        executionId: this.#executions,
        runId,
        agentId,
        attempt: number,
        workstream,
        workspace: workspace.folder,
        dependencies: dependencies.length === 0 ? {} : outputsOf(dependencies),
        logFile: `${logFolder}/${logName}.log`,
        limits: { ...limits, timeoutSeconds: timeoutSeconds ?? limits.timeoutSeconds },
        compiled: {},
        tools,
        gates,
        setup: workspace.setup,
        previousFailure: history.lastFailure(id),
        budgetUsd: budget.forAttempt({ limitUsd: maxCostUsd, spentUsd: history.spentUsd(id) }),
      },
      { signal, onMessage },
    );
  }

  async #carryOut(task: Task, work: Work): Promise<Attempt> {
    const { workstream, agentId } = task;
    const { workplaces, outsideScope } = this.#parts;
    const { number } = work;
    const begin = beginNow();
    const workspace = await workplaces.open(workstream, agentId, number);
    if (isFailure(workspace)) {
      return { task, number, workspace: null, outcome: unexecutedOutcome(workspace), changes: null };
    }
    const executed = whenInterrupted(await this.execute(task, workspace, work), task.interruption());
    const changes = await workplaces.harvest(workstream, workspace);
    if (changes === null) return { task, number, workspace, outcome: executed, changes };
    // An attempt takes the time from the opening of its workspace until it is known what changed there.
    const outcome = { ...executed, ...measured(begin) };
    const attempt = { task, number, workspace, outcome, changes: null };
    if ('reason' in changes) return { ...attempt, outcome: withFailure(outcome, changes) };
    return { ...attempt, changes, outcome: judge(workstream, outcome, changes, outsideScope) };
  }

  /** Takes what it cost, and how its tools did. */
  #account(outcome: Outcome): void {
    const { budget, circuit } = this.#ledgers;
    const { failure } = outcome;
    const reports = reportsOf(outcome);
    budget.spend(costOf(reports).knownUsd ?? 0);
    for (const { tool } of reports) circuit.record(tool, failure);
    // A tool that could not even be started reported nothing.
    if (failure !== null && 'tool' in failure && reports.length === 0) circuit.record(failure.tool, failure);
  }
}

/** What the tools of an attempt reported. */
export const reportsOf = ({ steps }: Outcome): ToolReport[] =>
  steps.flatMap(({ tool }) => (tool === null ? [] : [tool]));

/**
 * A success is judged by what changed, and a failure stays what it is; but where acceptance failed because nothing was
 * done at all, that is the reason.
 */
function judge(workstream: Workstream, outcome: Outcome, changes: Changes, policy: OutsideScope): Outcome {
  const noted = withWarnings(outcome, changes.notes);
  const before = outcome.failure?.reason ?? null;
  if (before !== null && before !== 'acceptance-failed') return noted;
  const { failure, warnings } = judgeChanges(workstream, changes, policy);
  if (before !== null && failure?.reason !== 'no-changes') return noted;
  const warned = withWarnings(noted, warnings);
  return failure === null ? warned : withFailure(warned, failure);
}
