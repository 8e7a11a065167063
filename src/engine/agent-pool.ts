/** The threads of an engine: piscina, set up and used in the one way that holds for whatever code they run. */
import { setTimeout as pause } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { AgentSettings } from '../domain/agent-message.ts';
import type { AssignmentBatch } from '../domain/batch/batch-text.ts';
import { compileAsUsual } from '../os/v8-options.ts';
import { entryFile } from './entry-file.ts';

/**
 * How long the end of all threads is waited for. A thread that is blocked outside of JavaScript, in a system call or
 * in native code, can't be ended before it comes back from there, which may be never.
 */
const CLOSE_MS = 1_000;

export interface PoolOptions {
  agents: number;
  /** How many threads are started at once; each further one when there is a batch for it. */
  startedAtOnce: number;
  /** Limit of each thread's JavaScript heap in MB; null for Node's default. */
  memoryMb: number | null;
  settings: AgentSettings;
  /** Called with whatever code in a thread posts to its parent. */
  onMessage: (message: unknown) => void;
  /** A thread has failed that was idle. */
  onError: (error: unknown) => void;
}

export class AgentPool {
  readonly #pool: Piscina;
  /** Batches that have a thread or wait for one. */
  #inUse = 0;
  #ended = 0;
  readonly #compileLate = compileAsUsual();
  #closing: Promise<void> | null = null;

  constructor({ agents, startedAtOnce, memoryMb, settings, onMessage, onError }: PoolOptions) {
    this.#pool = new Piscina({
      filename: entryFile('thread-entry'),
      minThreads: Math.min(startedAtOnce, agents),
      maxThreads: agents,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      // The default freezes an idle thread's event loop and blames what it then finds on the next workstream.
      atomics: 'disabled',
      recordTiming: false,
      workerData: settings,
      ...(memoryMb === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
    });
    this.#pool.on('message', onMessage);
    // A thread that dies with an active task rejects that task; the death of an idle one is an error of the pool.
    this.#pool.on('error', onError);
  }

  get hasThreads(): boolean {
    return this.#pool.threads.length > 0;
  }

  /**
   * Passes a batch to a thread. Rejects as soon as `terminate` is aborted, and another thread takes the place of the
   * one that had it, whether that can be ended or not.
   */
  async run(batch: AssignmentBatch, terminate: AbortSignal): Promise<unknown> {
    this.#inUse += 1;
    try {
      return await this.#pool.run(batch, { signal: terminate });
    } finally {
      this.#inUse -= 1;
      this.#ended += 1;
      // By then all of those have been loaded that were started together.
      if (this.#ended === this.#pool.threads.length) this.#compileLate();
      this.#endIdleThreads();
    }
  }

  /** A further thread is started when there is work for it. */
  resize(agents: number): void {
    this.#pool.options.minThreads = Math.min(this.#pool.options.minThreads, agents);
    this.#pool.options.maxThreads = agents;
    this.#endIdleThreads();
  }

  /** Ends all threads, and resolves after a second at most. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#destroy();
    return this.#closing;
  }

  async #destroy(): Promise<void> {
    const timer = new AbortController();
    const late = pause(CLOSE_MS, undefined, { signal: timer.signal });
    // A thread that can't be ended is left to the end of the process.
    await Promise.race([this.#pool.destroy(), late]).catch(() => undefined);
    timer.abort();
  }

  /**
   * The pool ends no thread by itself and does not report which are idle, but runs a task on an idle one, and ends the
   * thread of a task that is aborted.
   */
  #endIdleThreads(): void {
    const wanted = Math.max(this.#pool.options.maxThreads, this.#inUse);
    for (let left = this.#pool.threads.length - wanted; left > 0 && this.#closing === null; left -= 1) {
      const end = new AbortController();
      const ended = this.#pool.run(null, { signal: end.signal, name: 'none' });
      end.abort();
      // That it was aborted is what was wanted.
      ended.catch(() => undefined);
    }
  }
}
