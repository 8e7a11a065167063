/** Makes one attempt at a workstream: a workspace, the execution in it, and what changed there. */
import type { LimitWait } from '../../domain/agent-result.ts';
import {
  type Assignment,
  type ContinuedSession,
  type CostLimit,
  type Limits,
  relativeToProject,
} from '../../domain/assignment.ts';
import type { Candidate } from '../../domain/attempt.ts';
import type { Changes, Merge } from '../../domain/changes.ts';
import type { BatchOptions, Engine, EngineMessage } from '../../domain/engine.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeFailure, failureContext } from '../../domain/failure-message.ts';
import type { Json } from '../../domain/json.ts';
import type { KeptCandidate } from '../../domain/kept-work.ts';
import type { Outcome, StepResult } from '../../domain/outcome.ts';
import type { ReviewRecord } from '../../domain/policy/review.ts';
import { isDenial, type ToolReport } from '../../domain/tool.ts';
import { spendingOf } from '../../domain/tool-report.ts';
import { type Credit, isFailure, type KeptWorkspace, type Workspace } from '../../domain/workspaces.ts';
import type { Shell, Workstream } from '../../domain/workstream.ts';
import { measured, startTimer } from '../../os/stopwatch.ts';
import type { ToolLimits } from '../tool-limits.ts';
import { judgeChanges, type OutsideScope } from './judge-changes.ts';
import { costOf, isStop, type RunLedgers } from './ledgers.ts';
import {
  type Interruption,
  reportsOf,
  unexecutedOutcome,
  whenInterrupted,
  whenStopped,
  withFailure,
  withWarnings,
} from './outcome.ts';
import type { WorkspaceManager } from './workspace-manager.ts';

export interface AttemptRunnerParts {
  runId: string;
  engine: Engine;
  workspaces: WorkspaceManager;
  limits: Limits;
  /** Absolute folder of the project. */
  project: string;
  /** Folder for the output of this run's workstreams, as assignments carry it. */
  logFolder: string;
  /** Reads stored outputs of workstreams, by id. */
  outputsOf: (ids: readonly string[]) => Record<string, Json>;
  /** What runs shell lines that name no shell. */
  shell: Shell;
  /** The command of each gate. */
  gates: Record<string, string>;
  outsideScope: OutsideScope;
}

type SessionMessage = Extract<EngineMessage, { type: 'session' }>;

/** What is reported of an execution while it is under way. */
export type ReportedMessage = Exclude<EngineMessage, SessionMessage>;

/** An agent, and how what it executes is followed and stopped. */
export interface AgentContext {
  /** From 0. */
  agent: number;
  agentId: string;
  /** Aborted when what it executes is stopped, by itself or with the run. */
  signal: AbortSignal;
  /** Aborted when the run is interrupted. */
  runSignal: AbortSignal;
  /** Why the run is interrupted; null while it is not. */
  interruption: () => Interruption | null;
  /** Who asked to stop a workstream; null where nobody did. */
  stoppedBy: (workstreamId: string) => string | null;
  onMessage: (workstreamId: string, message: ReportedMessage) => void;
  /** Has agents that are free help with the workstream until the returned function is called; absent where none may. */
  share?: (help: Help) => () => void;
}

/** Begins a part of a workstream's work on another agent; null where there is nothing to begin. */
export type Help = (context: AgentContext) => Promise<void> | null;

/** In what the attempts at a workstream differ. */
export interface AttemptFields extends Pick<Assignment, 'attempt' | 'tools' | 'logFile'> {
  /** US dollars that other candidates of the same competition are known to have cost. Default: 0. */
  spentUsd?: number;
  /** What it goes on with; null to begin afresh. Default: null. */
  goesOnWith?: { workspace: Workspace; session: ContinuedSession } | null;
  /** Called when a tool has named its session in this folder. Default: not called. */
  onSession?: (message: SessionMessage, folder: string) => void;
}

/** What an attempt of a batch needs, and where its outcome goes. */
export interface BatchParts extends Pick<BatchOptions, 'onOutcomes' | 'onReturned' | 'onBegun' | 'stops'> {
  fieldsOf: (workstream: Workstream) => AttemptFields;
}

/** An attempt, and what followed from it so far. */
export interface Attempt {
  workstream: Workstream;
  context: AgentContext;
  /** Counted from 1. */
  number: number;
  /** Open until the attempt is closed; null where none could be opened. */
  workspace: Workspace | null;
  outcome: Outcome;
  changes: Changes | null;
  /** Paths that it changed outside its scope. */
  outsideScope: string[];
  merge: Merge | null;
  /** Why no other attempt follows although one was left; null where none was left, or it completed. */
  gaveUp: string | null;
  /** The steps of the compensation. */
  compensation: StepResult[];
  /** All of the competition that it won; empty for none. */
  candidates: Candidate[];
  /** Executions before it that met a usage limit. */
  limitWaits: LimitWait[];
  /** That it met a usage limit which is waited for, so that it is no attempt; null where that is not so. */
  parked: LimitWait | null;
  /** What reviewers said of it and of the attempts before it. */
  reviews: ReviewRecord[];
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
  async run(workstream: Workstream, context: AgentContext, fields: AttemptFields): Promise<Attempt> {
    const attempt = await this.#run(workstream, context, fields);
    this.#account(attempt);
    return attempt;
  }

  /**
   * Executes the first attempts at workstreams, or further ones, as `Engine.executeBatch` does. Only for what is
   * batchable: its workspace is the shared folder, and its changes are not judged.
   */
  async executeBatch(
    workstreams: readonly Workstream[],
    context: AgentContext,
    { fieldsOf, ...listeners }: BatchParts,
  ): Promise<readonly number[]> {
    const { engine, workspaces } = this.#parts;
    const { signal, onMessage } = context;
    if (engine.executeBatch === undefined) throw new Error('this engine executes no batches');
    const assignments = workstreams.map((workstream) =>
      this.#assignment(workstream, context, workspaces.shared, fieldsOf(workstream)),
    );
    return engine.executeBatch(assignments, {
      signal,
      onMessage: (index, message) => {
        // What is batchable has no tool.
        if (message.type !== 'session') onMessage(workstreams[index]?.id ?? '', message);
      },
      ...listeners,
    });
  }

  /** The attempt of a batch that ended with this outcome. It has used no tool, so that it cost nothing. */
  attemptOf(workstream: Workstream, context: AgentContext, number: number, outcome: Outcome): Attempt {
    return executed(workstream, context, number, this.#parts.workspaces.shared, outcome);
  }

  /** Executes in a workspace that is open already. */
  execute(
    workstream: Workstream,
    context: AgentContext,
    workspace: Workspace,
    fields: AttemptFields,
  ): Promise<Outcome> {
    const { signal, onMessage } = context;
    const assignment = this.#assignment(workstream, context, workspace, fields);
    return this.#parts.engine.execute(assignment, {
      signal,
      onMessage: (message) => {
        if (message.type === 'session') fields.onSession?.(message, workspace.folder);
        else onMessage(workstream.id, message);
      },
    });
  }

  #assignment(
    workstream: Workstream,
    { agentId }: AgentContext,
    workspace: Workspace,
    { attempt, tools, logFile, spentUsd = 0, goesOnWith = null }: AttemptFields,
  ): Assignment {
    const { runId, limits, project, outputsOf, gates, shell } = this.#parts;
    const { history } = this.#ledgers;
    const { id, timeoutSeconds, dependsOn } = workstream;
    this.#executions += 1;
    return {
      executionId: this.#executions,
      runId,
      agentId,
      attempt,
      workstream,
      workspace: relativeToProject(workspace.folder, project),
      dependencies:
        dependsOn.length === 0 ? NO_DEPENDENCIES : outputsOf(dependsOn.map((dependency) => dependency.id)),
      logFile,
      limits: timeoutSeconds === null ? limits : { ...limits, timeoutSeconds },
      tools,
      gates,
      shell,
      // It was prepared when it was opened.
      setup: goesOnWith === null ? workspace.setup : null,
      previousFailure: history.lastFailure(id),
      session: goesOnWith?.session ?? null,
      budgets: this.#budgets(workstream, tools, spentUsd),
    };
  }

  #budgets({ id, maxCostUsd }: Workstream, tools: AttemptFields['tools'], spentUsd: number): CostLimit[] {
    const { history, budget, limits } = this.#ledgers;
    const ofTools = Object.values(tools).flatMap(({ name, maxCostUsd: limitUsd }): CostLimit[] =>
      limitUsd === null ? [] : [{ of: 'tool', tool: name, limitUsd, spentUsd: limits.spentUsd(name) }],
    );
    if (maxCostUsd === null && !budget.isLimited && ofTools.length === 0) return NO_LIMITS;
    const own = budget.forAttempt({ limitUsd: maxCostUsd, spentUsd: history.spentUsd(id) + spentUsd });
    return [...own, ...ofTools].toSorted((a, b) => a.limitUsd - a.spentUsd - (b.limitUsd - b.spentUsd));
  }

  async #run(workstream: Workstream, context: AgentContext, fields: AttemptFields): Promise<Attempt> {
    const { workspaces, outsideScope } = this.#parts;
    const begin = startTimer();
    const workspace = fields.goesOnWith?.workspace ?? (await this.open(workstream, context, fields.attempt));
    if (isFailure(workspace))
      return executed(workstream, context, fields.attempt, null, unexecutedOutcome(workspace));
    const outcome = await this.execute(workstream, context, workspace, fields);
    const attempt = executed(workstream, context, fields.attempt, workspace, outcome);
    this.#meetLimits(attempt, fields.tools);
    // What it has done so far is not judged.
    if (attempt.parked !== null) return attempt;
    const changes = await workspaces.harvest(workspace, creditOf(outcome));
    if (changes === null) return attempt;
    // An attempt takes the time from the opening of its workspace until it is known what changed there.
    attempt.outcome = { ...attempt.outcome, ...measured(begin) };
    if ('reason' in changes) {
      if (attempt.outcome.failure === null) attempt.outcome = withFailure(attempt.outcome, changes);
      return attempt;
    }
    attempt.changes = changes;
    judge(attempt, changes, outsideScope);
    return attempt;
  }

  /**
   * A workspace for an attempt. The workstream's limit holds for preparing it as it does for executing in it.
   * @param kept what an earlier session of the run has left of it. Default: nothing, it begins anew.
   */
  open(
    workstream: Workstream,
    { agentId, signal }: AgentContext,
    attempt: number,
    kept?: KeptWorkspace,
  ): Promise<Workspace | Failure> {
    const { workspaces, limits } = this.#parts;
    const seconds = workstream.timeoutSeconds ?? limits.timeoutSeconds;
    return workspaces.open(workstream, { agentId, attempt }, { seconds, signal }, kept);
  }

  /** Has tools wait whose limits pass, and gives up those whose limits do not. */
  #meetLimits(attempt: Attempt, tools: AttemptFields['tools']): void {
    const { limits, circuit } = this.#ledgers;
    const settingsOf = new Map(Object.values(tools).map((settings) => [settings.name, settings]));
    for (const { tool: report, failure } of attempt.outcome.steps) {
      const settings = report === null ? undefined : settingsOf.get(report.tool);
      if (report === null || settings === undefined) continue;
      const { limit } = report;
      if (limit === null) {
        if (failure === null) limits.worked(settings);
      } else if (limit.class === 'cap') circuit.open(settings.name, 'tool-quota');
      else if (limit.class !== 'auth') {
        const met = limits.met(settings, { ...limit, class: limit.class }, (report.toolCalls ?? 0) > 0);
        meetPassing(attempt, report, met);
      }
    }
  }

  /** Enters what it cost, and how its tools did. */
  #account({ outcome, parked }: Attempt): void {
    const { budget, circuit, limits } = this.#ledgers;
    const { failure } = outcome;
    const reports = reportsOf(outcome);
    budget.spend(costOf(reports).knownUsd ?? 0);
    for (const { tool, costUsd } of reports) limits.spend(tool, costUsd ?? 0);
    if (parked !== null) return;
    for (const { tool } of reports) circuit.record(tool, failure);
    // A tool that could not even be started reported nothing.
    if (failure === null || failure.reason === 'budget-exceeded' || reports.length > 0) return;
    if ('tool' in failure && failure.tool !== undefined) circuit.record(failure.tool, failure);
  }
}

/** The tool that worked last; undefined where none did. What several cost is added up. */
function creditOf(outcome: Outcome): Credit | undefined {
  const reports = reportsOf(outcome);
  const last = reports.at(-1);
  if (last === undefined) return undefined;
  return { tool: last.tool, model: last.model, costUsd: spendingOf(reports).costUsd };
}

const NO_LIMITS: CostLimit[] = [];
const NO_REVIEWS: ReviewRecord[] = [];
const NO_DEPENDENCIES: Assignment['dependencies'] = {};

/** Written out, because it is made for each workstream: spreading takes a fifth of the time of a tiny one. */
const executed = (
  workstream: Workstream,
  context: AgentContext,
  number: number,
  workspace: Workspace | null,
  outcome: Outcome,
): Attempt => ({
  workstream,
  context,
  number,
  workspace,
  outcome: whenEndedFromOutside(workstream, context, outcome),
  changes: null,
  outsideScope: [],
  merge: null,
  gaveUp: null,
  compensation: [],
  candidates: [],
  limitWaits: [],
  parked: null,
  reviews: NO_REVIEWS,
});

/** An attempt that an earlier session of the run has made. Its workspace is not open. */
export const restoredAttempt = (
  workstream: Workstream,
  context: AgentContext,
  { facts, outcome, changes, outsideScope }: KeptCandidate,
): Attempt => ({
  ...executed(workstream, context, facts.attempt, null, outcome),
  outcome,
  changes,
  outsideScope,
});

/** Has an attempt that failed wait for a limit that its tool has met, or makes the limit its failure. */
function meetPassing(
  attempt: Attempt,
  report: ToolReport,
  { until, failure: refusal }: ReturnType<ToolLimits['met']>,
): void {
  const { outcome } = attempt;
  const { failure } = outcome;
  if (failure === null || isStop(failure)) return;
  if (refusal !== null) {
    const { tail, log } = failureContext(failure);
    attempt.outcome = withFailure(outcome, { ...refusal, tail: tail ?? '', log });
    return;
  }
  attempt.parked ??= limitWait(report, outcome, until);
}

/** @param until in milliseconds since 1970. */
export const limitWait = (report: ToolReport, outcome: Outcome, until: number): LimitWait => ({
  tool: report.tool,
  text: report.limit?.text ?? '',
  at: new Date(outcome.endedAt).toISOString(),
  until: new Date(until).toISOString(),
  durationSeconds: outcome.durationSeconds,
  costUsd: costOf(reportsOf(outcome)).knownUsd,
  logFile: outcome.logFile,
});

/** A workstream that was stopped by itself stays so where the run is interrupted before it has ended. */
function whenEndedFromOutside({ id }: Workstream, context: AgentContext, outcome: Outcome): Outcome {
  const by = context.stoppedBy(id);
  return by === null ? whenInterrupted(outcome, context.interruption()) : whenStopped(outcome, by);
}

/**
 * A success is judged by what changed, and a failure stays what it is; but where acceptance failed because nothing was
 * done at all, that is the reason, and where the work was accepted although the tool was denied something, it is done.
 */
function judge(attempt: Attempt, changes: Changes, policy: OutsideScope): void {
  const { workstream } = attempt;
  const outcome = withWarnings(withoutDenial(attempt.outcome, changes), changes.notes);
  attempt.outcome = outcome;
  const before = outcome.failure?.reason ?? null;
  if (before !== null && before !== 'acceptance-failed') return;
  const { failure, warnings, outside } = judgeChanges(workstream, changes, policy);
  attempt.outsideScope = outside;
  if (before !== null && failure?.reason !== 'no-changes') return;
  const warned = withWarnings(outcome, warnings);
  attempt.outcome = failure === null ? warned : withFailure(warned, failure);
}

/** For every tool: acceptance tests that passed on work that changed something turn a denial into a warning. */
function withoutDenial(outcome: Outcome, changes: Changes): Outcome {
  const { failure, tests } = outcome;
  const hasPassed = tests.some(({ status }) => status === 'passed');
  const hasFailed = tests.some(({ status, blocking }) => status === 'failed' && blocking);
  if (failure === null || !isDenial(failure) || !hasPassed || hasFailed) return outcome;
  if (changes.files.length === 0) return outcome;
  const why = `${describeFailure(failure)} Its work was accepted all the same.`;
  return withWarnings({ ...outcome, status: 'completed', failure: null }, [why]);
}
