/** The engine that runs assignments on a piscina pool, one worker thread an agent. */
import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import {
  type AgentSettings,
  fromAgentSchema,
  lastWordSchema,
  opened,
  type Cancellation,
} from '../domain/agent-message.ts';
import type { Assignment } from '../domain/assignment.ts';
import type { EngineRunOptions, ScalableEngine } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import { internalError, answerSchema, type Outcome } from '../domain/outcome.ts';
import { AgentPool, ForkServer } from './agent-pool.ts';
import { crashFailure, lostOutcome, redactUnfinishedLog } from './crash.ts';
import { endGroup } from '../os/owned-processes.ts';
import { Lane, Batch, type QueuedAssignment } from './lane.ts';
import { type ExecutionMessage, ActiveExecution } from './active-execution.ts';
import { CompileError, TypeScriptModules } from './typescript.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { startTimer } from '../os/stopwatch.ts';

export interface ThreadEngineOptions {
  /** Number of threads; that many are started at once. `resize` changes it. */
  agents: number;
  /** Limit of each thread's JavaScript heap in MB; null for Node's default. Buffers are not in it. */
  memoryMb: number | null;
  /** pino level of the workstreams' own loggers. */
  logLevel: string;
  /** Told of what a workstream's code did after its workstream had ended. */
  onLate(workstreamId: string, text: string): void;
  /** Folder for compiled modules. */
  cacheFolder: string;
  /** Whether so many commands are to be started that a process which starts them is worth its own start. */
  manyCommands: boolean;
  /** Everything that workstreams print or say goes through it. */
  redactor: Redactor;
}

/** How long answers are waited for that were sent before the last one. */
const MESSAGES_MS = 1_000;

export class ThreadEngine implements ScalableEngine {
  readonly #options: ThreadEngineOptions;
  readonly #pool: AgentPool;
  readonly #channel: BroadcastChannel;
  readonly #modules: TypeScriptModules;
  readonly #running = new Map<number, { execution: ActiveExecution; lot: Batch }>();
  /** By agent. */
  readonly #lines = new Map<string, Lane>();
  readonly #forkServer: ForkServer | null;
  #closing: Promise<void> | null = null;

  constructor(options: ThreadEngineOptions) {
    this.#options = options;
    this.#forkServer = options.manyCommands ? ForkServer.start() : null;
    const settings: AgentSettings = {
      key: randomUUID(),
      channel: randomUUID(),
      logLevel: options.logLevel,
      memoryMb: options.memoryMb,
      forkServer: this.#forkServer?.path ?? null,
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

  /** Never rejects. At most as many at once as there are agents: the pool's own queue is not used. */
  run(assignment: Assignment, options: EngineRunOptions): Promise<Outcome> {
    return new Promise((settle) => {
      void this.#lineOf(assignment).begin([{ assignment, options, settle, giveBack: null, endedThreads: 0 }]);
    });
  }

  lineUp(assignment: Assignment, options: EngineRunOptions): Promise<Outcome | null> {
    return new Promise((settle) => {
      const giveBack = (): void => settle(null);
      this.#lineOf(assignment).add({ assignment, options, settle, giveBack, endedThreads: 0 });
    });
  }

  #lineOf({ agentId }: Assignment): Lane {
    let line = this.#lines.get(agentId);
    if (line === undefined) {
      line = new Lane((orders, onLot) => this.#execute(orders, onLot));
      this.#lines.set(agentId, line);
    }
    return line;
  }

  /** Resolves when every one of them has its outcome or was given back. */
  async #execute(orders: QueuedAssignment[], onLot: (lot: Batch) => void): Promise<void> {
    const lot = new Batch(new AbortController());
    for (const order of orders) await this.#prepare(order, lot);
    if (lot.open.length === 0) return;
    lot.seal();
    for (const execution of lot.open) this.#running.set(execution.assignment.executionId, { execution, lot });
    onLot(lot);
    let again: QueuedAssignment[] = [];
    try {
      await this.#pass(lot);
    } catch (error) {
      lot.takeBack();
      if (this.#closing === null) again = lot.takeUnbegun();
      for (const execution of lot.open) await this.#lost(lot, execution, error);
    } finally {
      for (const executionId of lot.executionIds) this.#running.delete(executionId);
    }
    if (again.length > 0) await this.#execute(again, onLot);
  }

  async #prepare(order: QueuedAssignment, lot: Batch): Promise<void> {
    const { assignment, options } = order;
    const begin = startTimer();
    let execution: ActiveExecution | null = null;
    try {
      const compiled = await this.#modules.compile(assignment);
      const send = (message: Cancellation): void => this.#send(message);
      execution = new ActiveExecution(assignment, options, send, lot.terminate);
      lot.add(order, execution, { assignment, compiled, mark: execution.mark });
    } catch (error) {
      execution?.close();
      const logFile = error instanceof CompileError ? assignment.logFile : null;
      order.settle(lostOutcome(failureOf(error), begin, logFile));
    }
  }

  async #pass(lot: Batch): Promise<void> {
    if (this.#closing !== null) throw new Error('the engine was closed before it started');
    const result = await this.#pool.run(lot.message, lot.terminate.signal);
    const answer = answerSchema.nullable().parse(result);
    if (answer !== null) {
      await this.#running.get(answer.executionId)?.execution.receivedAll(answer.posted);
      lot.settle(answer.executionId, answer.outcome);
    }
    await lot.settled(MESSAGES_MS);
    if (lot.open.length > 0)
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

  #send(message: Cancellation): void {
    if (this.#closing === null) this.#channel.postMessage(message);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#channel.close();
    await this.#pool.close();
    await this.#forkServer?.close();
  }

  /** Settles what the thread gave no answer to; its processes are ended from here. */
  async #lost(lot: Batch, execution: ActiveExecution, error: unknown): Promise<void> {
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
      lot.settle(executionId, outcome);
    } catch (problem) {
      lot.settle(executionId, lostOutcome(failureOf(problem), execution.begin, null));
    }
  }

  #outcomeOfLost(execution: ActiveExecution, error: unknown): Outcome {
    const { assignment, retired, verdict, begin } = execution;
    if (retired !== null) {
      execution.tell({ type: 'replaced', why: retired.why });
      return retired.outcome;
    }
    execution.tell({ type: 'replaced', why: verdict === null ? 'its thread died' : 'its code did not stop' });
    const failure = verdict ?? crashFailure(error, this.#options.memoryMb);
    return lostOutcome(failure, begin, assignment.logFile);
  }

  /** Workstreams can post anything to their parent; only what is a message of an execution in hand counts. */
  #receive(message: unknown): void {
    const parsed = fromAgentSchema.safeParse(message);
    if (!parsed.success) return this.#refuse(message);
    const { data } = parsed;
    if (data.type === 'late') this.#options.onLate(data.workstreamId, data.text);
    else if (data.type === 'answer')
      this.#running.get(data.executionId)?.lot.settle(data.executionId, data.outcome);
    else this.#deliver(data);
  }

  /** A last word that can't be read is all that its execution will ever say. */
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
