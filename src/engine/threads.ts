/** The engine that runs assignments on a piscina pool, one worker thread an agent. */
import { BroadcastChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  type AgentSettings,
  fromAgentSchema,
  lastWordSchema,
  type MarkedAssignment,
  type ToAgent,
} from '../domain/agent-message.ts';
import type { Assignment } from '../domain/assignment.ts';
import type { Engine, EngineRunOptions } from '../domain/engine.ts';
import { answerSchema, type Outcome } from '../domain/outcome.ts';
import { agentFile } from './agent-file.ts';
import { crashFailure, failedOutcome } from './crash.ts';
import { signalGroup } from '../support/process-group.ts';
import { type ExecutionMessage, ThreadExecution } from './thread-execution.ts';
import { CompileError, TypeScriptModules } from './typescript.ts';
import { beginNow } from '../support/stopwatch.ts';

export interface ThreadEngineOptions {
  /** Number of threads; that many are started at once. */
  agents: number;
  /** Limit of each thread's JavaScript heap in MB; null for Node's default. Buffers are not in it. */
  memoryMb: number | null;
  /** pino level of the workstreams' own loggers. */
  logLevel: string;
  /** Told of what a workstream's code did after its workstream had ended. */
  onLate(workstreamId: string, text: string): void;
  /** Folder for compiled modules. */
  cacheFolder: string;
}

let engines = 0;

export class ThreadEngine implements Engine {
  readonly #options: ThreadEngineOptions;
  readonly #pool: Piscina;
  readonly #channel: BroadcastChannel;
  readonly #modules: TypeScriptModules;
  readonly #running = new Map<number, ThreadExecution>();
  #closing: Promise<void> | null = null;

  constructor(options: ThreadEngineOptions) {
    this.#options = options;
    engines += 1;
    const settings: AgentSettings = {
      channel: `millrace-${process.pid}-${engines}`,
      logLevel: options.logLevel,
      memoryMb: options.memoryMb,
    };
    this.#modules = new TypeScriptModules(options.cacheFolder);
    this.#channel = new BroadcastChannel(settings.channel);
    this.#channel.unref();
    this.#pool = createPool(options, settings);
    this.#pool.on('message', (message: unknown) => this.#receive(message));
    // A thread that dies with a task in hand rejects that task; without one there is nobody to blame.
    this.#pool.on('error', (error: unknown) => this.#threadFailed(error));
  }

  /** Never rejects. At most as many at once as there are agents: the pool's own queue is not used. */
  async run(assignment: Assignment, options: EngineRunOptions): Promise<Outcome> {
    const begin = beginNow();
    const execution = new ThreadExecution(assignment, options, (message) => this.#send(message));
    this.#running.set(assignment.executionId, execution);
    try {
      return await this.#execute(execution).catch((error: unknown) => this.#lost(execution, error));
    } catch (error) {
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      const thrown = { name, message, ...(stack === undefined ? {} : { stack }) };
      return failedOutcome({ reason: 'internal-error', thrown }, begin, null);
    } finally {
      this.#running.delete(assignment.executionId);
    }
  }

  async #execute(execution: ThreadExecution): Promise<Outcome> {
    const { assignment, terminate } = execution;
    const compiled = await this.#modules.compile(assignment);
    if (this.#closing !== null) throw new Error('the engine was closed before it started');
    const marked: MarkedAssignment = { ...assignment, compiled, mark: execution.mark };
    const result: unknown = await this.#pool.run(marked, { signal: terminate.signal });
    const { outcome, posted } = answerSchema.parse(result);
    await execution.receivedAll(posted);
    execution.close();
    return outcome;
  }

  #send(message: ToAgent): void {
    if (this.#closing === null) this.#channel.postMessage(message);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#channel.close();
    await this.#pool.destroy();
  }

  /** The outcome where the thread did not return one; its processes are ended from here. */
  async #lost(execution: ThreadExecution, error: unknown): Promise<Outcome> {
    if (error instanceof CompileError) {
      execution.close();
      return failedOutcome(error.failure, execution.begin, execution.assignment.logFile);
    }
    // Nothing is waited for any more once the engine is closed.
    const grace = this.#closing === null ? execution.assignment.limits.graceSeconds : 0;
    const left = await execution.endProcesses(grace);
    const outcome = this.#outcomeOfLost(execution, error);
    if (left > 0) outcome.warnings.push(`${left} of its processes could not be ended.`);
    return outcome;
  }

  #outcomeOfLost(execution: ThreadExecution, error: unknown): Outcome {
    const { assignment, retired, verdict, begin } = execution;
    if (retired !== null) {
      execution.tell({ type: 'replaced', why: retired.why });
      return retired.outcome;
    }
    execution.tell({ type: 'replaced', why: verdict === null ? 'its thread died' : 'its code did not stop' });
    const failure = verdict ?? crashFailure(error, this.#options.memoryMb);
    return failedOutcome(failure, begin, assignment.logFile);
  }

  /** Workstreams can post anything to their parent; only what is a message of an execution in hand counts. */
  #receive(message: unknown): void {
    const parsed = fromAgentSchema.safeParse(message);
    if (!parsed.success) return this.#refuse(message);
    if (parsed.data.type === 'late') this.#options.onLate(parsed.data.workstreamId, parsed.data.text);
    else this.#deliver(parsed.data);
  }

  /** A last word that can't be read is all that its execution will ever say. */
  #refuse(message: unknown): void {
    const lastWord = lastWordSchema.safeParse(message);
    if (!lastWord.success) return;
    const execution = this.#running.get(lastWord.data.executionId);
    if (execution === undefined) return;
    execution.verdict = { reason: 'invalid-result', detail: 'what its thread answered could not be read' };
    execution.terminate.abort();
  }

  #deliver(message: ExecutionMessage): void {
    const execution = this.#running.get(message.executionId);
    if (execution !== undefined) execution.receive(message);
    // It was started just before its thread was ended.
    else if (message.type === 'process-started') signalGroup(message.pid, 'SIGKILL');
  }

  /** Threads that can't even start would leave their assignments waiting for ever. */
  #threadFailed(error: unknown): void {
    if (this.#pool.threads.length > 0) return;
    for (const execution of this.#running.values()) {
      execution.verdict = crashFailure(error, this.#options.memoryMb);
      execution.terminate.abort();
    }
  }
}

function createPool(options: ThreadEngineOptions, settings: AgentSettings): Piscina {
  return new Piscina({
    filename: agentFile(),
    minThreads: options.agents,
    maxThreads: options.agents,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    // The default freezes an idle thread's event loop and blames what it then finds on the next workstream.
    atomics: 'disabled',
    recordTiming: false,
    workerData: settings,
    ...(options.memoryMb === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: options.memoryMb } }),
  });
}
