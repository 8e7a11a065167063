/** The engine that runs assignments on a piscina pool, one worker thread an agent. */
import { randomUUID } from 'node:crypto';
import { type AgentSettings, fromAgentSchema, lastWordSchema, opened } from '../domain/agent-message.ts';
import { type Assignment, inProject } from '../domain/assignment.ts';
import { Bell } from '../domain/batch/bell.ts';
import type { BatchOptions, ExecuteOptions, LocalEngine } from '../domain/engine.ts';
import { answerSchema, internalError, type Outcome } from '../domain/outcome.ts';
import { endGroup } from '../os/owned-processes.ts';
import type { Redactor } from '../secrets/redactor.ts';
import type { ActiveExecution, ExecutionMessage } from './active-execution.ts';
import { AgentPool } from './agent-pool.ts';
import { Batch, type BatchHost, type BatchRequest, UNREADABLE } from './batch.ts';
import { CommandHost } from './command-host.ts';
import { crashFailure, lostOutcome, redactUnfinishedLog } from './crash.ts';
import { Lane } from './lane.ts';
import { TypeScriptModules } from './typescript.ts';

export interface ThreadEngineOptions {
  /** Absolute folder that the paths of assignments are relative to. */
  project: string;
  /** Most threads. `resize` changes it. */
  agents: number;
  /** How many threads are started at once; each further one when it is first given something. Default: `agents`. */
  startedAtOnce?: number;
  /** Limit of each thread's JavaScript heap in MB; null for Node's default. Buffers are not in it. */
  memoryMb: number | null;
  /** pino level of the workstreams' own loggers. */
  logLevel: string;
  /** Called with what a workstream's code did after its workstream had ended. */
  onLate(workstreamId: string, text: string): void;
  /** Folder for compiled modules. */
  cacheFolder: string;
  /** Whether so many commands will be started that a process which starts them is worth its own start. */
  manyCommands: boolean;
  /** Applied to everything that workstreams print or send. */
  redactor: Redactor;
}

/** How long answers are waited for that were sent before the last one. */
const MESSAGES_MS = 1_000;
/** So many threads in a row don't fail for what an earlier workstream left in them. */
const MAX_FAILED_THREADS = 3;

export class ThreadEngine implements LocalEngine {
  readonly #options: ThreadEngineOptions;
  readonly #pool: AgentPool;
  readonly #modules: TypeScriptModules;
  readonly #host: BatchHost;
  /** Goes with every message of a thread. */
  readonly #key = randomUUID();
  /** Those that threads have. */
  readonly #batches = new Set<Batch>();
  /** By agent. */
  readonly #lanes = new Map<string, Lane>();
  readonly #commandHost: CommandHost | null;
  #closing: Promise<void> | null = null;

  constructor(options: ThreadEngineOptions) {
    this.#options = options;
    this.#commandHost = options.manyCommands ? CommandHost.start() : null;
    this.#host = { redactor: options.redactor, bell: new Bell() };
    const settings: AgentSettings = {
      key: this.#key,
      bell: this.#host.bell.memory,
      logLevel: options.logLevel,
      memoryMb: options.memoryMb,
      cacheFolder: options.cacheFolder,
      commandHost: this.#commandHost?.path ?? null,
      secrets: options.redactor.secrets,
    };
    this.#modules = new TypeScriptModules(options.cacheFolder);
    const { agents, startedAtOnce = agents, memoryMb } = options;
    this.#pool = new AgentPool({
      agents,
      startedAtOnce,
      memoryMb,
      settings,
      onMessage: (posted) => this.#receive(posted),
      onError: (error) => this.#threadFailed(error),
    });
  }

  /** At most as many at once as there are agents: the pool's own queue is not used. */
  async execute(given: Assignment, options: ExecuteOptions): Promise<Outcome> {
    const lane = this.#laneOf(given);
    lane.enter();
    let outcome: Outcome | undefined;
    await this.#executeAll({
      assignments: [inProject(given, this.#options.project)],
      options: {
        signal: options.signal,
        onMessage: (_, message) => options.onMessage(message),
        onOutcomes: ([only]) => {
          outcome = only?.outcome;
        },
      },
      mayReturn: false,
      keepsFirst: true,
    });
    lane.leave();
    if (outcome === undefined) throw new Error('an execution has ended without an outcome');
    return outcome;
  }

  async executeBatch(given: readonly Assignment[], options: BatchOptions): Promise<readonly number[]> {
    const [first] = given;
    if (first === undefined) return [];
    const lane = this.#laneOf(first);
    const keepsFirst = lane.isIdle;
    if (!(await lane.enterSoon(options.signal))) return [...given.keys()];
    const assignments = given.map((assignment) => inProject(assignment, this.#options.project));
    const returned = await this.#executeAll({ assignments, options, mayReturn: true, keepsFirst });
    lane.leave();
    return returned.toSorted((a, b) => a - b);
  }

  #laneOf({ agentId }: Assignment): Lane {
    let lane = this.#lanes.get(agentId);
    if (lane === undefined) {
      lane = new Lane();
      this.#lanes.set(agentId, lane);
    }
    return lane;
  }

  /** Resolves with the indices of those that were returned when each of the others has its outcome. */
  async #executeAll(request: BatchRequest): Promise<number[]> {
    const returned: number[] = [];
    let { assignments } = request;
    for (let threads = 1; ; threads += 1) {
      const typeScript = await this.#modules.prepare(assignments);
      const batch = new Batch({ ...request, assignments }, typeScript, this.#host);
      const again = await this.#executeBatch(batch, threads < MAX_FAILED_THREADS);
      returned.push(...batch.returned);
      if (!again) return returned;
      assignments = assignments.slice(0, 1);
    }
  }

  /** Resolves with whether the first member is for another thread: this one has failed before it began anything. */
  async #executeBatch(batch: Batch, mayTryAgain: boolean): Promise<boolean> {
    if (!batch.isOpen) return false;
    this.#batches.add(batch);
    batch.start();
    let again = false;
    try {
      await this.#send(batch);
    } catch (error) {
      batch.end();
      again = batch.takeFirst(mayTryAgain && this.#closing === null);
      for (const [index, execution] of batch.unanswered) await this.#lost(batch, index, execution, error);
    } finally {
      batch.stop();
      this.#batches.delete(batch);
    }
    return again;
  }

  async #send(batch: Batch): Promise<void> {
    if (this.#closing !== null) throw new Error('the engine was closed before it started');
    const result = await this.#pool.run(batch.message, batch.terminate.signal);
    const answer = answerSchema.nullable().parse(result);
    if (answer !== null) {
      if (answer.posted > 0) await batch.executionFor(answer.executionId)?.receivedAll(answer.posted);
      batch.collect();
      batch.settle(answer.executionId, answer.outcome);
    }
    batch.end();
    await batch.settled(MESSAGES_MS);
    if (batch.isOpen) throw new Error('its answer did not arrive: code had closed the port of its thread');
  }

  /** A further thread is started when there is work for it. */
  resize(agents: number): void {
    this.#pool.resize(agents);
  }

  get inChildren(): number {
    let count = 0;
    for (const { active } of this.#batches) for (const { hasChildren } of active) if (hasChildren) count += 1;
    return count;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#pool.close();
    await this.#commandHost?.close();
  }

  /** Settles an execution that a thread did not answer, and ends its processes. */
  async #lost(batch: Batch, index: number, execution: ActiveExecution, error: unknown): Promise<void> {
    const { assignment } = execution;
    try {
      // Nothing is waited for any more once the engine is closed.
      const left = await execution.endProcesses(this.#closing === null ? assignment.limits.graceSeconds : 0);
      const { redactor } = this.#options;
      const warnings = [
        ...(await redactUnfinishedLog(assignment, redactor)),
        ...left.map((text) => redactor.text(text)),
      ];
      const outcome = this.#outcomeOfLost(execution, error);
      outcome.warnings.push(...warnings);
      batch.close(index, outcome);
    } catch (problem) {
      batch.close(index, lostOutcome(internalError(problem), execution.begin, null));
    }
  }

  #outcomeOfLost(execution: ActiveExecution, error: unknown): Outcome {
    const { assignment, retired, verdict, begin } = execution;
    if (retired !== null) {
      execution.report({ type: 'replaced', why: retired.why });
      return retired.outcome;
    }
    execution.report({
      type: 'replaced',
      why: verdict === null ? 'its thread died' : 'its code did not stop',
    });
    const failure = verdict ?? crashFailure(error, this.#options.memoryMb);
    return lostOutcome(failure, begin, assignment.logFile);
  }

  /**
   * Workstreams can post anything to their parent; only a message of an active execution counts. The number of a batch
   * says only that there may be something in its memory.
   */
  #receive(posted: unknown): void {
    if (typeof posted === 'number') return this.#collect(posted);
    const message = opened(posted, this.#key);
    const parsed = fromAgentSchema.safeParse(message);
    if (!parsed.success) return this.#refuse(message);
    const { data } = parsed;
    if (data.type === 'late') this.#options.onLate(data.workstreamId, data.text);
    else if (data.type === 'answer') this.#batchOf(data.executionId)?.settle(data.executionId, data.outcome);
    else this.#deliver(data);
  }

  /** A last message that can't be parsed ends its execution: no other will follow. */
  #refuse(message: unknown): void {
    const lastWord = lastWordSchema.safeParse(message);
    if (!lastWord.success) return;
    const execution = this.#executionOf(lastWord.data.executionId);
    if (execution === null) return;
    execution.verdict = UNREADABLE;
    execution.terminate.abort();
  }

  #collect(id: number): void {
    for (const batch of this.#batches) if (batch.message.id === id) batch.collect();
  }

  /** The batch with an execution that has not ended. */
  #batchOf(executionId: number): Batch | undefined {
    for (const batch of this.#batches) if (batch.find(executionId) !== null) return batch;
    return undefined;
  }

  #executionOf(executionId: number): ActiveExecution | null {
    return this.#batchOf(executionId)?.executionFor(executionId) ?? null;
  }

  #deliver(message: ExecutionMessage): void {
    const execution = this.#executionOf(message.executionId);
    if (execution !== null) execution.receive(message);
    // It was started just before its thread was ended.
    else if (message.type === 'process-started') endGroup(message.pid, message.startedAt);
  }

  /** Threads that can't even start would leave their assignments waiting for ever. */
  #threadFailed(error: unknown): void {
    if (this.#pool.hasThreads) return;
    for (const batch of this.#batches) batch.fail(crashFailure(error, this.#options.memoryMb));
  }
}
