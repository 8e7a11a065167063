/** The engine that runs assignments on a piscina pool, one worker thread an agent. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import {
  type AgentSettings,
  type Cancellation,
  fromAgentSchema,
  lastWordSchema,
  opened,
} from '../domain/agent-message.ts';
import { type Assignment, inProject } from '../domain/assignment.ts';
import type { BatchOptions, ExecuteOptions, LocalEngine } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import { answerSchema, internalError, type Outcome } from '../domain/outcome.ts';
import { endGroup } from '../os/owned-processes.ts';
import { startTimer } from '../os/stopwatch.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { ActiveExecution, type ExecutionMessage } from './active-execution.ts';
import { AgentPool } from './agent-pool.ts';
import { CommandHost } from './command-host.ts';
import { crashFailure, lostOutcome, redactUnfinishedLog } from './crash.ts';
import { Batch, Lane, type QueuedAssignment } from './lane.ts';
import { CompileError, TypeScriptModules } from './typescript.ts';

export interface ThreadEngineOptions {
  /** Absolute folder that the paths of assignments are relative to. */
  project: string;
  /** Number of threads; that many are started at once. `resize` changes it. */
  agents: number;
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

export class ThreadEngine implements LocalEngine {
  readonly #options: ThreadEngineOptions;
  readonly #pool: AgentPool;
  readonly #channel: BroadcastChannel;
  readonly #modules: TypeScriptModules;
  readonly #running = new Map<number, { execution: ActiveExecution; batch: Batch }>();
  /** By agent. */
  readonly #lanes = new Map<string, Lane>();
  readonly #commandHost: CommandHost | null;
  #closing: Promise<void> | null = null;

  constructor(options: ThreadEngineOptions) {
    this.#options = options;
    this.#commandHost = options.manyCommands ? CommandHost.start() : null;
    const settings: AgentSettings = {
      key: randomUUID(),
      channel: randomUUID(),
      logLevel: options.logLevel,
      memoryMb: options.memoryMb,
      commandHost: this.#commandHost?.path ?? null,
      secrets: options.redactor.secrets,
    };
    this.#modules = new TypeScriptModules(options.cacheFolder);
    this.#channel = new BroadcastChannel(settings.channel);
    this.#channel.unref();
    const { agents, memoryMb } = options;
    this.#pool = new AgentPool({
      agents,
      memoryMb,
      settings,
      onMessage: (signed) => this.#receive(opened(signed, settings.key)),
      onError: (error) => this.#threadFailed(error),
    });
  }

  /** At most as many at once as there are agents: the pool's own queue is not used. */
  execute(given: Assignment, options: ExecuteOptions): Promise<Outcome> {
    const assignment = inProject(given, this.#options.project);
    return new Promise((settle) => {
      const queued = { assignment, options, settle, returnUnstarted: null, endedThreads: 0 };
      void this.#laneOf(assignment).start([queued]);
    });
  }

  enqueue(given: Assignment, options: ExecuteOptions): Promise<Outcome | null> {
    const assignment = inProject(given, this.#options.project);
    return new Promise((settle) => {
      const returnUnstarted = (): void => settle(null);
      this.#laneOf(assignment).add({ assignment, options, settle, returnUnstarted, endedThreads: 0 });
    });
  }

  async executeBatch(assignments: readonly Assignment[], options: BatchOptions): Promise<readonly number[]> {
    const { signal, onMessage, onOutcomes } = options;
    const returned: number[] = [];
    const one = async (assignment: Assignment, index: number): Promise<void> => {
      const outcome = await this.enqueue(assignment, {
        signal,
        onMessage: (message) => onMessage(index, message),
      });
      if (outcome === null) returned.push(index);
      else onOutcomes([{ index, outcome }]);
    };
    await Promise.all(assignments.map(one));
    return returned.toSorted((a, b) => a - b);
  }

  #laneOf({ agentId }: Assignment): Lane {
    let lane = this.#lanes.get(agentId);
    if (lane === undefined) {
      lane = new Lane((queued, onBatch) => this.#executeBatch(queued, onBatch));
      this.#lanes.set(agentId, lane);
    }
    return lane;
  }

  /** Resolves when each has its outcome or was returned. */
  async #executeBatch(assignments: QueuedAssignment[], onBatch: (batch: Batch) => void): Promise<void> {
    const batch = new Batch(new AbortController());
    for (const queued of assignments) await this.#prepare(queued, batch);
    if (batch.open.length === 0) return;
    batch.seal();
    for (const execution of batch.open)
      this.#running.set(execution.assignment.executionId, { execution, batch });
    onBatch(batch);
    let again: QueuedAssignment[] = [];
    try {
      await this.#send(batch);
    } catch (error) {
      batch.takeBack();
      if (this.#closing === null) again = batch.takeUnstarted();
      for (const execution of batch.open) await this.#lost(batch, execution, error);
    } finally {
      for (const executionId of batch.executionIds) this.#running.delete(executionId);
    }
    if (again.length > 0) await this.#executeBatch(again, onBatch);
  }

  async #prepare(queued: QueuedAssignment, batch: Batch): Promise<void> {
    const { assignment, options } = queued;
    const begin = startTimer();
    let execution: ActiveExecution | null = null;
    try {
      const compiled = await this.#modules.compile(assignment);
      const send = (message: Cancellation): void => this.#broadcast(message);
      execution = new ActiveExecution(assignment, options, send, batch.terminate);
      batch.add(queued, execution, { assignment, compiled, mark: execution.mark });
    } catch (error) {
      execution?.close();
      const logFile = error instanceof CompileError ? assignment.logFile : null;
      queued.settle(lostOutcome(failureOf(error), begin, logFile));
    }
  }

  async #send(batch: Batch): Promise<void> {
    if (this.#closing !== null) throw new Error('the engine was closed before it started');
    const result = await this.#pool.run(batch.message, batch.terminate.signal);
    const answer = answerSchema.nullable().parse(result);
    if (answer !== null) {
      await this.#running.get(answer.executionId)?.execution.receivedAll(answer.posted);
      batch.settle(answer.executionId, answer.outcome);
    }
    await batch.settled(MESSAGES_MS);
    if (batch.open.length > 0)
      throw new Error('its answer did not arrive: code had closed the port of its thread');
  }

  /** A further thread is started when there is work for it. */
  resize(agents: number): void {
    this.#pool.resize(agents);
  }

  get inChildren(): number {
    let count = 0;
    for (const { execution } of this.#running.values()) if (execution.hasChildren) count += 1;
    return count;
  }

  #broadcast(message: Cancellation): void {
    if (this.#closing === null) this.#channel.postMessage(message);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#channel.close();
    await this.#pool.close();
    await this.#commandHost?.close();
  }

  /** Settles an execution that a thread did not answer, and ends its processes. */
  async #lost(batch: Batch, execution: ActiveExecution, error: unknown): Promise<void> {
    const { assignment } = execution;
    const { executionId, limits } = assignment;
    try {
      // Nothing is waited for any more once the engine is closed.
      const left = await execution.endProcesses(this.#closing === null ? limits.graceSeconds : 0);
      const { redactor } = this.#options;
      const warnings = [
        ...(await redactUnfinishedLog(assignment, redactor)),
        ...left.map((text) => redactor.text(text)),
      ];
      const outcome = this.#outcomeOfLost(execution, error);
      outcome.warnings.push(...warnings);
      batch.settle(executionId, outcome);
    } catch (problem) {
      batch.settle(executionId, lostOutcome(failureOf(problem), execution.begin, null));
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

  /** Workstreams can post anything to their parent; only a message of an active execution counts. */
  #receive(message: unknown): void {
    const parsed = fromAgentSchema.safeParse(message);
    if (!parsed.success) return this.#refuse(message);
    const { data } = parsed;
    if (data.type === 'late') this.#options.onLate(data.workstreamId, data.text);
    else if (data.type === 'answer')
      this.#running.get(data.executionId)?.batch.settle(data.executionId, data.outcome);
    else this.#deliver(data);
  }

  /** A last message that can't be parsed ends its execution: no other will follow. */
  #refuse(message: unknown): void {
    const lastWord = lastWordSchema.safeParse(message);
    if (!lastWord.success) return;
    const execution = this.#running.get(lastWord.data.executionId)?.execution;
    if (execution === undefined) return;
    execution.verdict = { reason: 'invalid-result', detail: 'what its thread answered could not be read' };
    execution.terminate.abort();
  }

  #deliver(message: ExecutionMessage): void {
    const execution = this.#running.get(message.executionId)?.execution;
    if (execution !== undefined) execution.receive(message);
    // It was started just before its thread was ended.
    else if (message.type === 'process-started') endGroup(message.pid, message.startedAt);
  }

  /** Threads that can't even start would leave their assignments waiting for ever. */
  #threadFailed(error: unknown): void {
    if (this.#pool.hasThreads) return;
    for (const { execution } of this.#running.values()) {
      execution.verdict = crashFailure(error, this.#options.memoryMb);
      execution.terminate.abort();
    }
  }
}

const failureOf = (error: unknown): Failure =>
  error instanceof CompileError ? error.failure : internalError(error);
