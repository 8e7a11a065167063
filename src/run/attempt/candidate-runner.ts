/** Has several tools do one workstream, and chooses whose work counts. */
import type { LimitWait } from '../../domain/agent-result.ts';
import type { AttemptRecord, Candidate } from '../../domain/attempt.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeFailure } from '../../domain/failure-message.ts';
import type { EarlierCandidate } from '../../domain/kept-work.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import type { ToolSettings } from '../../domain/tool.ts';
import { isFailure } from '../../domain/workspaces.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { type AgentContext, type Attempt, type AttemptRunner, restoredAttempt } from './attempt-runner.ts';
import { candidateFacts, rankCandidates } from './best-of.ts';
import { attemptRecord, isStop, type RunLedgers } from './ledgers.ts';
import { withFailure, withWarnings } from './outcome.ts';
import type { Reviewer } from './reviewer.ts';
import type { WorkspaceManager } from './workspace-manager.ts';

export interface CandidateRunnerParts {
  workspaces: WorkspaceManager;
  /** The tools, each of which is given the workstream. */
  bestOf: readonly string[];
  toolsOf: (agent: number, workstream: Workstream, tool?: string) => Record<string, ToolSettings>;
  /** Path of a log of this run, by the name of its file without the extension. */
  logFile: (name: string) => string;
  /** Candidates of an earlier session, by workstream. */
  earlier: ReadonlyMap<string, readonly EarlierCandidate[]>;
  publish: (event: RunEvent) => void;
}

/** An attempt that competes with others, and what it is judged by. */
interface Contender {
  attempt: Attempt;
  facts: Omit<Candidate, 'chosen'>;
}

/**
 * Each candidate that has ended is published, so that it is on the disk, and one that an earlier session of the run had
 * finished is not executed again: its work is opened again from its commit where it is chosen.
 */
export class CandidateRunner {
  readonly #parts: CandidateRunnerParts;
  readonly #attempts: AttemptRunner;
  readonly #ledgers: RunLedgers;
  readonly #reviewer: Reviewer;
  readonly #earlier: Map<string, readonly EarlierCandidate[]>;
  /** By workstream: the numbers that candidates of earlier competitions may have, from 1 to this one. */
  readonly #taken = new Map<string, number>();
  /** Of workstreams whose reviewer waits for its usage limit, by workstream. */
  readonly #waiting = new Map<string, Contender[]>();

  constructor(parts: CandidateRunnerParts, attempts: AttemptRunner, ledgers: RunLedgers, reviewer: Reviewer) {
    this.#parts = parts;
    this.#attempts = attempts;
    this.#ledgers = ledgers;
    this.#reviewer = reviewer;
    this.#earlier = new Map(parts.earlier);
  }

  /**
   * The attempt that counts, reviewed, with its workspace open: the best that no reviewer rejects, and the best of all
   * where every one that completed is rejected. The work of all is kept, and the others are added to the history. Where
   * the reviewer waits for its usage limit, the attempt is parked, and the next call goes on from there.
   */
  async run(workstream: Workstream, context: AgentContext): Promise<Attempt> {
    const contenders = this.#waiting.get(workstream.id) ?? (await this.#attemptAll(workstream, context));
    this.#waiting.delete(workstream.id);
    const attempted = new Set(contenders.map(({ facts }) => this.#placeOf(facts.attempt)));
    const untried = this.#parts.bestOf.filter((_, index) => !attempted.has(index));
    const interrupted = whenUnfinished(contenders, untried, context);
    const judged = [...contenders];
    const winner = interrupted ?? (await this.#firstAccepted(judged, context));
    if (winner.attempt.parked !== null) {
      this.#waiting.set(workstream.id, contenders);
      return winner.attempt;
    }
    for (const { attempt } of judged) {
      if (attempt.number === winner.attempt.number) continue;
      this.#remember(attempt);
      if (attempt.workspace !== null) await this.#parts.workspaces.close(attempt.workspace);
    }
    const note = `It was not given to ${untried.join(' and ')}: it was stopped, or no money was left.`;
    const { attempt } = winner;
    return {
      ...attempt,
      outcome: withWarnings(attempt.outcome, untried.length === 0 ? [] : [note]),
      candidates: judged.map(({ facts }) => ({ ...facts, chosen: facts.attempt === attempt.number })),
    };
  }

  /**
   * Has the next competition number its candidates after those of attempts that were made before the result was withdrawn,
   * so that their branches, logs and records are kept apart.
   */
  continueAfter(workstreamId: string, records: readonly AttemptRecord[]): void {
    const last = records.reduce((most, { attempt }) => Math.max(most, attempt), 0);
    const { length } = this.#parts.bestOf;
    this.#taken.set(workstreamId, Math.ceil(last / length) * length);
  }

  /** Closes what waits. It is in commits, and stored: where the run is resumed, nothing of it is executed again. */
  async closeAll(): Promise<void> {
    for (const { attempt } of [...this.#waiting.values()].flat())
      if (attempt.workspace !== null) await this.#parts.workspaces.close(attempt.workspace);
    this.#waiting.clear();
  }

  /**
   * Each in a workspace of its own, as long as the run goes on and money is left: in turn on its own agent, and at the same
   * time on others that are free, unless they would share a folder or a limit of cost.
   */
  async #attemptAll(workstream: Workstream, context: AgentContext): Promise<Contender[]> {
    const { maxCostUsd, workspace } = workstream;
    const limitUsd = maxCostUsd ?? Number.POSITIVE_INFINITY;
    const contenders = this.#takeEarlier(workstream, context);
    const ended = new Set(contenders.map(({ facts }) => this.#placeOf(facts.attempt)));
    const open = this.#parts.bestOf.flatMap((_, index) => (ended.has(index) ? [] : [index]));
    let hasBegun = contenders.length > 0;
    const helped: Promise<void>[] = [];
    const begin = (by: AgentContext): Promise<void> | null => {
      const spentUsd = contenders.reduce((sum, { facts }) => sum + (facts.costUsd ?? 0), 0);
      const isSpent = spentUsd >= limitUsd || this.#ledgers.budget.refusal() !== null;
      if (hasBegun && (context.signal.aborted || isSpent)) return null;
      const index = open.shift();
      if (index === undefined) return null;
      hasBegun = true;
      const attempt = async (): Promise<void> => {
        contenders.push(await this.#attemptAs(workstream, by, index, spentUsd));
      };
      return attempt();
    };
    const mayShare = workspace === 'worktree' && maxCostUsd === null;
    const help = (by: AgentContext): Promise<void> | null => {
      const begun = begin(by);
      if (begun !== null) helped.push(begun);
      return begun;
    };
    let own = begin(context);
    const withdraw = mayShare ? context.share?.(help) : undefined;
    for (; own !== null; own = begin(context)) await own;
    withdraw?.();
    await Promise.all(helped);
    return contenders.toSorted((a, b) => a.attempt.number - b.attempt.number);
  }

  /** Candidates that an earlier session has finished, of this definition and these tools. */
  #takeEarlier(workstream: Workstream, context: AgentContext): Contender[] {
    const { id, hash } = workstream;
    const earlier = this.#earlier.get(id) ?? [];
    this.#earlier.delete(id);
    return earlier.flatMap(({ candidate, definitionHash, review }) => {
      const { facts } = candidate;
      const place = this.#placeOf(facts.attempt);
      if (definitionHash !== hash || this.#parts.bestOf[place] !== facts.tool) return [];
      // Those of an earlier competition are dropped with its result.
      this.#taken.set(id, facts.attempt - 1 - place);
      if (review !== null) this.#reviewer.restore(id, review);
      return [{ attempt: restoredAttempt(workstream, context, candidate), facts }];
    });
  }

  /** Which of the tools a candidate has: its place among them, from 0. */
  #placeOf(attempt: number): number {
    return (attempt - 1) % this.#parts.bestOf.length;
  }

  /** The attempt of the candidate at this place among the tools. */
  async #attemptAs(
    workstream: Workstream,
    context: AgentContext,
    index: number,
    spentUsd: number,
  ): Promise<Contender> {
    const { bestOf, toolsOf, logFile, publish } = this.#parts;
    const tool = bestOf[index] ?? '';
    const taken = this.#taken.get(workstream.id) ?? 0;
    const number = taken + index + 1;
    const again = taken === 0 ? [] : [`again-${taken / bestOf.length}`];
    const attempt = await this.#attempts.run(workstream, context, {
      attempt: number,
      tools: toolsOf(context.agent, workstream, tool),
      logFile: logFile([workstream.id, tool, ...repeated(bestOf, index), ...again].join('.')),
      spentUsd,
    });
    if (attempt.parked !== null) attempt.outcome = withFailure(attempt.outcome, limitFailure(attempt.parked));
    const { outcome, changes, outsideScope } = attempt;
    const agentId = outcome.executedBy?.agentId ?? context.agentId;
    const facts = candidateFacts(tool, { attempt: number, agentId }, outcome, changes);
    if (isFinished(outcome.failure)) {
      publish({
        type: 'candidate-ended',
        workstreamId: workstream.id,
        definitionHash: workstream.hash,
        candidate: { facts, outcome, changes, outsideScope },
      });
    }
    return { attempt, facts };
  }

  /**
   * The best that its reviewer does not reject. What is said of those before it is a warning of the row, and they count as
   * failed; where all that completed are rejected, the best of them is the one that failed.
   */
  async #firstAccepted(contenders: Contender[], context: AgentContext): Promise<Contender> {
    const ranked = rankCandidates(contenders.map(({ facts }) => facts));
    const warnings: string[] = [];
    let best: Contender | null = null;
    for (const index of ranked) {
      const contender = contenders[index];
      if (contender === undefined) throw new Error('a candidate that there is not was ranked');
      if (best !== null && !contender.facts.completed) break;
      // The row is that of the agent which the workstream was given to; the candidate says who executed it.
      const attempt = await this.#review({ ...(await this.#choose(contender)), context });
      if (attempt.parked !== null) return { ...contender, attempt };
      const { failure } = attempt.outcome;
      const judged = { attempt, facts: { ...contender.facts, ...verdictOf(failure) } };
      contenders[index] = judged;
      best ??= judged;
      if (failure === null || !isReplaceable(failure))
        return { ...judged, attempt: { ...attempt, outcome: withWarnings(attempt.outcome, warnings) } };
      const { tool, attempt: number } = contender.facts;
      warnings.push(
        `The work of ${tool} (candidate ${number}) was better and is not used: ${describeFailure(failure)}`,
      );
    }
    if (best === null) throw new Error('there was no candidate');
    const { attempt } = best;
    if (warnings.length > 1 && attempt.workspace !== null)
      await this.#parts.workspaces.choose(attempt.workspace);
    return best;
  }

  async #review(chosen: Attempt): Promise<Attempt> {
    const { workstream, number } = chosen;
    const before = this.#reviewer.verdictOn(workstream.id, number);
    const attempt = await this.#reviewer.review(chosen);
    const review = this.#reviewer.verdictOn(workstream.id, number);
    if (review !== null && before === null)
      this.#parts.publish({ type: 'candidate-reviewed', workstreamId: workstream.id, review });
    return attempt;
  }

  /** Makes the candidate's work that of the workstream, whose branch is that of the candidate which was judged last. */
  async #choose({ attempt }: Contender): Promise<Attempt> {
    const { workspaces } = this.#parts;
    const opened = await this.#reopen(attempt);
    const { workspace, outcome } = opened;
    if (workspace === null || opened.changes === null) return opened;
    // What an earlier session changed in the shared folder can't be told from what is there now.
    if (workspace !== attempt.workspace && workspace.kind === 'shared') return opened;
    const changes = await workspaces.choose(workspace);
    if (changes === null) return opened;
    if (!('reason' in changes)) return { ...opened, changes };
    return { ...opened, outcome: outcome.failure === null ? withFailure(outcome, changes) : outcome };
  }

  /** Opens the work of an earlier session again, from its commit. */
  async #reopen(attempt: Attempt): Promise<Attempt> {
    const { workstream, context, number, outcome, changes, workspace } = attempt;
    if (workspace !== null || changes === null) return attempt;
    const { base, head, source } = changes;
    if (source === 'git' && (base === null || head === null)) return attempt;
    const kept = base === null || head === null ? undefined : { base, head };
    const opened = await this.#attempts.open(workstream, context, number, kept);
    if (!isFailure(opened)) return { ...attempt, workspace: opened };
    return outcome.failure === null ? { ...attempt, outcome: withFailure(outcome, opened) } : attempt;
  }

  #remember({ workstream, context, number, outcome, changes }: Attempt): void {
    const { failure } = outcome;
    const record = attemptRecord(number, context.agentId, outcome, failure, changes);
    this.#ledgers.history.add(workstream.id, record, failure);
  }
}

/** What was ended from outside, or met a limit that passes, is done again where the run is resumed. */
const isFinished = (failure: Failure | null): boolean =>
  failure === null || !(isStop(failure) || failure.reason === 'usage-limit');

/** Whether the next best may do better. */
const isReplaceable = ({ reason }: Failure): boolean =>
  reason === 'review-failed' || reason === 'workspace-error';

const verdictOf = (failure: Failure | null): Partial<Candidate> =>
  failure === null ? {} : { completed: false, accepted: false, reason: failure.reason };

/** The candidate as which a competition ends that the run's interruption has left unfinished; null where it is finished. */
function whenUnfinished(
  contenders: Contender[],
  untried: readonly string[],
  { runSignal, interruption }: AgentContext,
): Contender | null {
  if (!runSignal.aborted) return null;
  const stopped = contenders.find(({ facts }) => facts.reason === 'interrupted');
  if (stopped !== undefined) return stopped;
  const last = contenders.at(-1);
  if (untried.length === 0 || last === undefined) return null;
  const detail = interruption()?.detail ?? 'the run ended';
  const { attempt, facts } = last;
  return {
    attempt: { ...attempt, outcome: withFailure(attempt.outcome, { reason: 'interrupted', detail }) },
    facts,
  };
}

/** A candidate does not wait for its tool: the others go on. */
const limitFailure = ({ tool, text, until, logFile }: LimitWait): Failure => ({
  reason: 'usage-limit',
  tool,
  detail: text,
  tail: '',
  log: logFile,
  resetsAt: until,
});

/** The number of a tool that is named a second time, so that each candidate has a log of its own. */
function repeated(tools: readonly string[], index: number): number[] {
  const before = tools.slice(0, index).filter((tool) => tool === tools[index]).length;
  return before === 0 ? [] : [before + 1];
}
