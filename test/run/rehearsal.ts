/** A run of the real coordinator in which a test decides what ends next, and sees everything that happens. */
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { AttemptRecord } from '../../src/domain/attempt.ts';
import { NOTHING_EARLIER } from '../../src/domain/history/earlier-run.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { Recorder } from '../../src/domain/recorder.ts';
import type { RunEvent } from '../../src/domain/run-event.ts';
import type { ToolSettings } from '../../src/domain/tool.ts';
import type { Workspaces } from '../../src/domain/workspaces.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { WorkspaceManager } from '../../src/run/attempt/workspace-manager.ts';
import { WorkstreamRunner, type WorkstreamRunnerParts } from '../../src/run/attempt/workstream-runner.ts';
import { Coordinator, type CoordinatorParts } from '../../src/run/coordinator.ts';
import { Journal } from '../../src/run/journal.ts';
import type { WithdrawnResult } from '../../src/run/workstream-control.ts';
import { NO_SECRETS } from '../kit/no-secrets.ts';
import { ScriptedEngine } from '../kit/scripted-engine.ts';

const RUN_ID = 'ma-run-20261010-101010';

const attemptOf = (result: AgentResult): AttemptRecord => ({
  attempt: result.attempts,
  agentId: result.agentId,
  tool: null,
  model: null,
  reason: result.reason,
  explanation: result.explanation,
  failure: result.failure,
  pattern: result.pattern,
  startTime: result.startTime ?? '',
  durationSeconds: result.durationSeconds ?? 0,
  costUsd: null,
  inputTokens: null,
  outputTokens: null,
  contentHash: null,
  logFile: result.logFile,
});

export interface RehearsalOptions {
  plan: Plan;
  agents: number;
  distribution?: 'dynamic' | 'round-robin';
  outside?: ReadonlyMap<string, boolean>;
  ask?: CoordinatorParts['ask'];
  /** Called as an execution is given to an agent. */
  onStart?: (id: string) => void;
  toolsOf?: (agent: number, workstream: Workstream) => Record<string, ToolSettings>;
  maxCostUsd?: number | null;
  toolCircuit?: number;
  toolLimits?: Partial<WorkstreamRunnerParts['toolLimits']>;
  maxWaitSeconds?: number | null;
}

export class Rehearsal {
  readonly engine: ScriptedEngine;
  readonly coordinator: Coordinator;
  readonly runner: WorkstreamRunner;
  readonly events: RunEvent[] = [];
  /** Final results by id; each comes once, or `take` throws. */
  readonly results = new Map<string, AgentResult>();
  /** Indices of workstreams that are ready and not taken. */
  readonly ready: ReadyQueue;
  readonly agents: number;
  /** Whether the store refuses to take results back. */
  refusesToWithdraw = false;
  /** Ended, one way or the other. */
  over = false;
  /** Why `run` rejected; null when it did not. */
  fault: unknown = null;
  readonly #opened = new Set<string>();
  readonly #plan: Plan;

  constructor(options: RehearsalOptions) {
    const { plan, agents, distribution = 'dynamic', outside = new Map(), ask = null } = options;
    this.agents = agents;
    this.#plan = plan;
    this.engine = new ScriptedEngine(({ workstream }) => options.onStart?.(workstream.id));
    this.runner = this.#createRunner(options);
    const mayStart = (index: number): boolean => {
      const workstream = plan.workstreams[index];
      return workstream === undefined || this.runner.mayStart(workstream, agents);
    };
    const gate = { isShut: false, admit: mayStart, leave: () => undefined };
    this.ready = new ReadyQueue(plan.workstreams, { agents, distribution, tracks: null, gate });
    const failure = new AbortController();
    const journal = new Journal({
      recorder: this.#recorder(),
      listeners: [],
      redactor: NO_SECRETS,
      failure,
    });
    this.coordinator = new Coordinator({
      runId: RUN_ID,
      plan,
      agents: Array.from({ length: agents }, (_, agent) => `agent-${agent + 1}`),
      runner: this.runner,
      ready: this.ready,
      journal,
      gate: {
        admitTests: () => true,
        leaveTests: () => undefined,
        idle: () => undefined,
        onFree: () => undefined,
        isWaiting: false,
      },
      maxWaitSeconds: options.maxWaitSeconds ?? null,
      failure,
      outside,
      inheritance: NOTHING_EARLIER,
      withdraw: (withdrawals) => this.#withdraw(withdrawals),
      commitStarts: false,
      merging: null,
      failFast: null,
      reserving: null,
      areRemote: false,
      ask,
    });
  }

  /** Begins the run; `over` says when it has ended. */
  start(): void {
    const end = (): void => {
      this.over = true;
    };
    this.coordinator.run().then(end, (error: unknown) => {
      this.fault = error;
      end();
    });
  }

  /** Position of a workstream in the plan. */
  indexOf(id: string): number {
    return this.#plan.workstreams.findIndex((workstream) => workstream.id === id);
  }

  /** The ids of assigned workstreams, by agent. */
  assigned(): Map<string, string[]> {
    const assigned = new Map<string, string[]>();
    for (const { assignment } of this.engine.open)
      assigned.set(assignment.agentId, [
        ...(assigned.get(assignment.agentId) ?? []),
        assignment.workstream.id,
      ]);
    return assigned;
  }

  #createRunner({
    toolsOf,
    toolLimits = {},
    maxCostUsd = null,
    toolCircuit = 3,
  }: RehearsalOptions): WorkstreamRunner {
    return new WorkstreamRunner({
      runId: RUN_ID,
      engine: this.engine,
      workspaces: new WorkspaceManager({
        workspaces: this.#workspaces(),
        folder: '/nowhere',
        parksOutsideScope: false,
        earlierWork: [],
      }),
      limits: { timeoutSeconds: 60, graceSeconds: 1, maxOutputMb: 1 },
      project: '/nowhere',
      logFolder: 'logs',
      outputsOf: () => ({}),
      toolsOf: toolsOf ?? (() => ({})),
      gates: {},
      shell: 'sh',
      bestOf: [],
      outsideScope: 'warn',
      maxCostUsd,
      toolCircuit,
      toolLimits: {
        atLimit: 'wait',
        lookUp: () => null,
        openParkings: () => [],
        random: () => 0,
        ...toolLimits,
      },
      publish: (event) => this.events.push(event),
      cache: null,
      inheritance: NOTHING_EARLIER,
    });
  }

  /** What the store does: the result becomes an attempt. */
  #withdraw(withdrawals: readonly WithdrawnResult[]): readonly AttemptRecord[] {
    if (this.refusesToWithdraw) throw new Error('refused');
    const [first] = withdrawals.map(({ workstreamId }) => this.results.get(workstreamId));
    for (const { workstreamId } of withdrawals)
      if (!this.results.delete(workstreamId)) throw new Error(`${workstreamId} has no result`);
    if (first === undefined) throw new Error('nothing is withdrawn');
    const { earlierAttempts } = first.metadata;
    if (first.attempts === earlierAttempts.length) return earlierAttempts;
    return [...earlierAttempts, { ...attemptOf(first), attempt: earlierAttempts.length + 1 }];
  }

  #take(event: RunEvent): void {
    this.events.push(event);
    if (event.type !== 'workstream-finished') return;
    const { workstreamId } = event.result;
    if (this.results.has(workstreamId)) throw new Error(`${workstreamId} has two results`);
    this.results.set(workstreamId, event.result);
  }

  #recorder(): Recorder {
    return {
      take: (events) => {
        for (const event of events) this.#take(event);
      },
      commit: () => undefined,
      sync: async () => undefined,
      finish: () => undefined,
      seconds: 0,
    };
  }

  /** Of those with a scope: nothing ever changes, and each is opened and closed once an attempt. */
  #workspaces(): Workspaces {
    const opened = this.#opened;
    return {
      open: async ({ workstream, attempt }) => {
        const folder = `${workstream.id} ${attempt}`;
        if (opened.has(folder)) throw new Error(`${folder} was opened twice`);
        opened.add(folder);
        return { folder, kind: 'shared', setup: null };
      },
      harvest: async () => ({
        source: 'scope-look',
        files: [],
        commits: [],
        branch: null,
        base: null,
        head: null,
        contentHash: null,
        conflictMarkers: [],
        notes: [],
      }),
      choose: () => Promise.reject(new Error('there is one candidate')),
      copyForReview: () => Promise.reject(new Error('nothing is reviewed here')),
      discardCopy: () => Promise.reject(new Error('nothing is reviewed here')),
      merged: () => Promise.reject(new Error('nothing is merged here')),
      close: async ({ folder }) => {
        if (!opened.delete(folder)) throw new Error(`${folder} was closed twice`);
        return [];
      },
    };
  }

  /** Workspaces that were opened and not closed. */
  get leftOpen(): number {
    return this.#opened.size;
  }
}
