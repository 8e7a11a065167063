/**
 * What the next execution of a workstream has from the one before it: the workspace, the sessions of its tools, and what
 * waiting for usage limits has cost. In another process of the run too, which takes over what this one leaves.
 */
import type { LimitWait } from '../../domain/agent-result.ts';
import type { ContinuedSession } from '../../domain/assignment.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { KeptSession } from '../../domain/kept-work.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import { isFailure } from '../../domain/workspaces.ts';
import type { Workstream } from '../../domain/workstream.ts';
import type { AgentContext, Attempt, AttemptFields, AttemptRunner } from './attempt-runner.ts';
import type { WorkspaceManager } from './workspace-manager.ts';

export interface UnfinishedWorkParts {
  workspaces: WorkspaceManager;
  /** Sessions of tools that an earlier process of the run has left, by workstream. */
  sessions: ReadonlyMap<string, readonly KeptSession[]>;
  publish: (event: RunEvent) => void;
}

/** What an execution begins with. */
export interface WorkBefore {
  /** What it goes on with; null where it begins afresh. */
  goesOnWith: NonNullable<AttemptFields['goesOnWith']> | null;
  limitWaits: LimitWait[];
  /** Why it does not go on with what it might have, in a sentence each. */
  notes: string[];
}

export class UnfinishedWork {
  readonly #parts: UnfinishedWorkParts;
  readonly #attempts: AttemptRunner;
  /** By workstream. */
  readonly #works = new Map<string, WorkBefore>();
  readonly #earlier: Map<string, readonly KeptSession[]>;

  constructor(parts: UnfinishedWorkParts, attempts: AttemptRunner) {
    this.#parts = parts;
    this.#attempts = attempts;
    this.#earlier = new Map(parts.sessions);
  }

  /** Executions of a workstream without a result that met a usage limit. */
  limitWaits(workstreamId: string): readonly LimitWait[] {
    return this.#works.get(workstreamId)?.limitWaits ?? [];
  }

  /** Removes and returns what this attempt begins with. */
  async take(workstream: Workstream, context: AgentContext, attempt: number): Promise<WorkBefore> {
    const { id } = workstream;
    const work = this.#works.get(id);
    this.#works.delete(id);
    const earlier = this.#earlier.get(id) ?? [];
    this.#earlier.delete(id);
    return work ?? this.#takeOver(workstream, context, attempt, earlier);
  }

  /** What an earlier process left of a workstream that was under way, unless its definition has changed. */
  async #takeOver(
    workstream: Workstream,
    context: AgentContext,
    attempt: number,
    sessions: readonly KeptSession[],
  ): Promise<WorkBefore> {
    const begun = sessions.filter(({ definitionHash }) => definitionHash === workstream.hash);
    const [first] = begun;
    if (first === undefined || workstream.onRetry === 'fresh') return NOTHING;
    const workspace = await this.#attempts.open(workstream, context, attempt, { folder: first.folder });
    if (isFailure(workspace))
      return {
        ...NOTHING,
        notes: [`It was begun afresh and not gone on with: ${describeFailure(workspace)}`],
      };
    const steps = begun.map(({ stepId, tool, sessionId }) => [stepId, { tool, id: sessionId }] as const);
    const session = { why: ENDED, sameAttempt: true, steps: Object.fromEntries(steps) };
    return { ...NOTHING, goesOnWith: { workspace, session } };
  }

  /** What stores the sessions of an attempt as soon as its tools have named them. */
  recorder({ id, hash }: Workstream, attempt: number): NonNullable<AttemptFields['onSession']> {
    return ({ stepId, tool, sessionId }, folder) =>
      this.#parts.publish({
        type: 'session-began',
        workstreamId: id,
        session: { stepId, attempt, definitionHash: hash, tool, sessionId, folder },
      });
  }

  /** Keeps an attempt that met a usage limit. What it has done stays where it is, unless it is to begin afresh. */
  async park(attempt: Attempt, fields: AttemptFields): Promise<void> {
    const { workstream, outcome, parked, workspace } = attempt;
    const { failure } = outcome;
    if (parked === null || failure === null) throw new Error('only what met a limit is parked');
    const limitWaits = [...attempt.limitWaits, parked];
    if (workstream.onRetry !== 'fresh')
      return this.goOn({ ...attempt, limitWaits }, fields, { why: failure, sameAttempt: true });
    if (workspace !== null) {
      await this.#parts.workspaces.harvest(workspace);
      await this.#parts.workspaces.close(workspace);
    }
    return this.beginAfresh({ ...attempt, limitWaits });
  }

  /** Keeps what waiting has cost, and nothing else. */
  beginAfresh({ workstream, limitWaits }: Attempt): void {
    if (limitWaits.length > 0) this.#works.set(workstream.id, { ...NOTHING, limitWaits });
  }

  /** Keeps the workspace and the sessions of an attempt for the next one. */
  goOn(
    { workstream, workspace, outcome, limitWaits }: Attempt,
    { goesOnWith }: AttemptFields,
    { why, sameAttempt }: Omit<ContinuedSession, 'steps'>,
  ): void {
    const sessions = outcome.steps.flatMap(({ id, tool }) =>
      tool === null || tool.sessionId === null
        ? []
        : [[id, { tool: tool.tool, id: tool.sessionId }] as const],
    );
    const steps = { ...goesOnWith?.session.steps, ...Object.fromEntries(sessions) };
    const session = { why, sameAttempt, steps };
    this.#works.set(workstream.id, {
      goesOnWith: workspace === null ? null : { workspace, session },
      limitWaits,
      notes: [],
    });
  }

  /**
   * Keeps what workstreams have done that are not executed any more in this process.
   * @param isResumed whether another process may go on with it: then workspaces in which tools have sessions stay.
   */
  async keepAll(isResumed: boolean): Promise<void> {
    const { workspaces } = this.#parts;
    for (const { goesOnWith } of this.#works.values()) {
      if (goesOnWith === null) continue;
      await workspaces.harvest(goesOnWith.workspace);
      const stays = isResumed && Object.keys(goesOnWith.session.steps).length > 0;
      if (!stays) await workspaces.close(goesOnWith.workspace);
    }
    this.#works.clear();
  }
}

/** Whether an attempt that was interrupted leaves its worktree as it is, for the process that resumes the run. */
export const isLeftForLater = (
  { workstream, outcome, workspace }: Attempt,
  { goesOnWith }: AttemptFields,
): boolean =>
  outcome.failure?.reason === 'interrupted' &&
  workspace?.kind === 'worktree' &&
  workstream.onRetry !== 'fresh' &&
  ((goesOnWith ?? null) !== null ||
    outcome.steps.some(({ tool }) => tool !== null && tool.sessionId !== null));

const NOTHING: WorkBefore = { goesOnWith: null, limitWaits: [], notes: [] };

const ENDED: Failure = { reason: 'interrupted', detail: 'the run was ended before it was done' };
