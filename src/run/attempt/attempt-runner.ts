/** Makes one attempt at a workstream: a workspace, the execution in it, and what changed. */
import type { Assignment, Limits } from '../../domain/assignment.ts';
import type { Changes } from '../../domain/changes.ts';
import { isDenial, type ToolReport, type ToolSettings } from '../../domain/tool.ts';
import type { Engine, EngineMessage } from '../../domain/engine.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { Json } from '../../domain/json.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Shell, Workstream } from '../../domain/workstream.ts';
import { isFailure, type Workspace } from '../../domain/workspaces.ts';
import type { AttemptHistory } from './attempt-history.ts';
import { type Budget, costOf } from './budget.ts';
import { type Interruption, whenInterrupted } from '../interruption.ts';
import { judgeChanges, type OutsideScope } from './judge-changes.ts';
import { unexecutedOutcome, withFailure, withWarnings } from './outcome.ts';
import type { ToolCircuit } from './tool-circuit.ts';
import type { WorkspaceManager } from './workspace-manager.ts';
import { startTimer, measured } from '../../os/stopwatch.ts';

export interface AttemptRunnerParts {
  runId: string;
  engine: Engine;
  workplaces: WorkspaceManager;
  limits: Limits;
  /** Absolute folder for the output of this run's workstreams. */
  logFolder: string;
  /** Reads stored outputs of workstreams, by id. */
  outputsOf: (ids: readonly string[]) => Record<string, Json>;
  /** What runs shell lines that name no shell. */
  shell: Shell;
  /** The command of each gate. */
  gates: Record<string, string>;
  outsideScope: OutsideScope;
}

/** What the attempts of a run have in common and each of them changes. */
export interface RunLedgers {
  history: AttemptHistory;
  budget: Budget;
  circuit: ToolCircuit;
}

/** A workstream in the hand of an agent. */
export interface AttemptRequest {
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
export interface AttemptPlan {
  /** Which attempt it is, counted from 1. */
  number: number;
  tools: Record<string, ToolSettings>;
  /** Under which name its output is kept. */
  logName: string;
  /** US dollars that other candidates of the same competition are known to have cost. Default: 0. */
  spentUsd?: number;
}

/** What an attempt found out. Its workspace is still open. */
export interface Attempt {
  task: AttemptRequest;
  number: number;
  /** Null where none could be opened. */
  workspace: Workspace | null;
  outcome: Outcome;
  changes: Changes | null;
}

export class AttemptRunner {
  readonly #parts: AttemptRunnerParts;
  readonly #ledgers: RunLedgers;
  #executions = 0;

  constructor(parts: AttemptRunnerParts, ledgers: RunLedgers) {
    this.#parts = parts;
    this.#ledgers = ledgers;
  }

  /** Never rejects because of what a workstream, a tool or a repository did. */
  async run(task: AttemptRequest, work: AttemptPlan): Promise<Attempt> {
    const attempt = await this.#carryOut(task, work);
    this.#account(attempt.outcome);
    return attempt;
  }

  /**
   * As `make`, behind what the agent has in hand; null when that took too long and nothing of it has happened. Only
   * for a workstream that may wait (see `mayWait`): nothing has to be prepared for it or looked at afterwards.
   */
  async lineUp(task: AttemptRequest, work: AttemptPlan): Promise<Attempt | null> {
    const { engine } = this.#parts;
    const { signal, onMessage } = task;
    const workspace = await this.#open(task, work);
    if (isFailure(workspace)) return unexecuted(task, work.number, workspace);
    const executed = await engine.lineUp(this.#assignment(task, workspace, work), { signal, onMessage });
    if (executed === null) return null;
    const outcome = whenInterrupted(executed, task.interruption());
    return { task, number: work.number, workspace, outcome, changes: null };
  }

  /** Executes in a workspace that is open already. */
  execute(task: AttemptRequest, workspace: Workspace, work: AttemptPlan): Promise<Outcome> {
    const { signal, onMessage } = task;
    return this.#parts.engine.run(this.#assignment(task, workspace, work), { signal, onMessage });
  }

  #assignment(
    task: AttemptRequest,
    workspace: Workspace,
    { number, tools, logName, spentUsd = 0 }: AttemptPlan,
  ): Assignment {
    const { runId, limits, logFolder, outputsOf, gates, shell } = this.#parts;
    const { workstream, agentId } = task;
    const { history, budget } = this.#ledgers;
    const { id, maxCostUsd, timeoutSeconds, dependsOn } = workstream;
    const dependencies = dependsOn.map((dependency) => dependency.id);
    this.#executions += 1;
    return {
      executionId: this.#executions,
      runId,
      agentId,
      attempt: number,
      workstream,
      workspace: workspace.folder,
      dependencies: dependencies.length === 0 ? {} : outputsOf(dependencies),
      logFile: `${logFolder}/${logName}.log`,
      limits: timeoutSeconds === null ? limits : { ...limits, timeoutSeconds },
      tools,
      gates,
      shell,
      setup: workspace.setup,
      previousFailure: history.lastFailure(id),
      budgets: budget.forAttempt({ limitUsd: maxCostUsd, spentUsd: history.spentUsd(id) + spentUsd }),
    };
  }

  async #carryOut(task: AttemptRequest, work: AttemptPlan): Promise<Attempt> {
    const { workstream } = task;
    const { workplaces, outsideScope } = this.#parts;
    const { number } = work;
    const begin = startTimer();
    const workspace = await this.#open(task, work);
    if (isFailure(workspace)) return unexecuted(task, number, workspace);
    const executed = whenInterrupted(await this.execute(task, workspace, work), task.interruption());
    const changes = await workplaces.harvest(workspace);
    if (changes === null) return { task, number, workspace, outcome: executed, changes };
    // An attempt takes the time from the opening of its workspace until it is known what changed there.
    const outcome = { ...executed, ...measured(begin) };
    const attempt = { task, number, workspace, outcome, changes: null };
    if ('reason' in changes) {
      const failed = outcome.failure === null ? withFailure(outcome, changes) : outcome;
      return { ...attempt, outcome: failed };
    }
    return { ...attempt, changes, outcome: judge(workstream, outcome, changes, outsideScope) };
  }

  /** The workstream's limit holds for preparing a workspace as it does for executing in it. */
  #open(
    { workstream, agentId, signal }: AttemptRequest,
    { number }: AttemptPlan,
  ): Promise<Workspace | Failure> {
    const { workplaces, limits } = this.#parts;
    const seconds = workstream.timeoutSeconds ?? limits.timeoutSeconds;
    return workplaces.open(workstream, { agentId, attempt: number }, { seconds, signal });
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

const unexecuted = (task: AttemptRequest, number: number, failure: Failure): Attempt => ({
  task,
  number,
  workspace: null,
  outcome: whenInterrupted(unexecutedOutcome(failure), task.interruption()),
  changes: null,
});

/** What the tools of an attempt reported. */
export const reportsOf = ({ steps }: Outcome): ToolReport[] =>
  steps.flatMap(({ tool }) => (tool === null ? [] : [tool]));

/**
 * A success is judged by what changed, and a failure stays what it is; but where acceptance failed because nothing was
 * done at all, that is the reason, and where the work was accepted although the tool was denied something, it is done.
 */
function judge(workstream: Workstream, executed: Outcome, changes: Changes, policy: OutsideScope): Outcome {
  const outcome = withWarnings(madeGood(executed, changes), changes.notes);
  const before = outcome.failure?.reason ?? null;
  if (before !== null && before !== 'acceptance-failed') return outcome;
  const { failure, warnings } = judgeChanges(workstream, changes, policy);
  if (before !== null && failure?.reason !== 'no-changes') return outcome;
  const warned = withWarnings(outcome, warnings);
  return failure === null ? warned : withFailure(warned, failure);
}

/** The same for every tool: a denial is made good by acceptance tests that passed on work that changed something. */
function madeGood(outcome: Outcome, changes: Changes): Outcome {
  const { failure, tests } = outcome;
  const hasPassed = tests.some(({ status }) => status === 'passed');
  const hasFailed = tests.some(({ status, blocking }) => status === 'failed' && blocking);
  if (failure === null || !isDenial(failure) || !hasPassed || hasFailed) return outcome;
  if (changes.files.length === 0) return outcome;
  const why = `${describeFailure(failure)} Its work was accepted all the same.`;
  return withWarnings({ ...outcome, status: 'completed', failure: null }, [why]);
}
