/** An agent: one assignment in, one outcome out. Errors of a workstream's code never get past it. */
import type { StopCause } from '../src/domain/engine.ts';
import type { Failure, Thrown } from '../src/domain/failure.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { isVital } from '../src/os/process-group.ts';
import { execute, usesModules } from './execute.ts';
import { type AgentHost, currentExecution, Execution, type ExecutionItem, setActive } from './execution.ts';
import { watchChildProcesses } from './processes/watch-child-processes.ts';
import { hasExitCode, takeExitCode } from './thread/exit-code.ts';
import { Intrinsics } from './thread/intrinsics.ts';
import { delay, exit } from './thread/own-globals.ts';
import { captureStandardOutput } from './thread/stdio.ts';
import { ThreadState } from './thread/thread-state.ts';
import { flattenThrown } from './thread/thrown.ts';

/** How long the main thread gets to end a place that has sent its last outcome, in milliseconds. */
const RETIRED_MS = 1_000;

export class Agent {
  readonly #host: AgentHost;
  /** Null while it is idle. */
  #active: Execution | null = null;
  /** What code can change here. In a process, which executes one assignment, that is only of interest to our own code. */
  readonly #state: ThreadState | Intrinsics;
  #isFresh = true;
  /** Whether an execution is active, or did not come to its end. */
  #hasFailed = false;
  /** Whether code of a workstream has been executed here: nothing else can change this place. */
  #hasRunModules = false;
  /** Whether it waits for something to execute. */
  #isIdle = false;

  /** From now on everything that user code sets in motion here is watched. Make one in a thread or process. */
  constructor(host: AgentHost) {
    this.#host = host;
    captureStandardOutput();
    watchChildProcesses();
    guardMillrace(host.place);
    // Errors that no code of the workstream catches are its failure, and never another one's.
    process.on('uncaughtException', (error) => this.#crash('uncaught-exception', error));
    process.on('unhandledRejection', (error) => this.#crash('unhandled-rejection', error));
    this.#state = host.place === 'thread' ? new ThreadState() : new Intrinsics();
  }

  /** Whether earlier executions, by what they left running, have made this place unfit for another one. */
  get isSpoilt(): boolean {
    if (this.#hasFailed) return true;
    return this.#hasRunModules && this.#state.changed(false) !== null;
  }

  /** Whether it has sent its last outcome: nothing more may start in this place. */
  hasRetired = false;

  /** Begins an execution: it is the active one now. */
  begin(item: ExecutionItem): Execution {
    this.#isIdle = false;
    takeExitCode();
    const execution = new Execution(item, this.#host);
    this.#setActive(execution);
    return execution;
  }

  /**
   * Whether a function that has just returned did nothing that shows in its thread: it has neither printed, failed, nor
   * changed or left anything.
   */
  isPlain(execution: Execution): boolean {
    if (this.#state.changed(execution.ranNewCode) !== null) {
      // Compared as thoroughly once more when it is put back.
      execution.ranNewCode = true;
      return false;
    }
    return (
      execution.isUntouched &&
      !hasExitCode() &&
      process.getActiveResourcesInfo().length <= execution.resourcesBefore.length
    );
  }

  /** No execution is active any more, until the next one begins. */
  rest(): void {
    this.#setActive(null);
    this.#isIdle = !this.hasRetired;
  }

  /**
   * Executes what has begun, from where it stands. Where this place is not fit for another execution the outcome is sent
   * as a message, and the main thread ends the place; it is returned only if that has not happened in time, because code
   * had closed the port.
   */
  async execute(execution: Execution): Promise<Answer> {
    const { executionId } = execution.assignment;
    this.#setActive(execution);
    this.#hasFailed = true;
    this.#hasRunModules ||= usesModules(execution);
    if (this.#isFresh) execution.post({ type: 'started', executionId });
    this.#isFresh = false;
    const outcome = await execute(execution, this.#state);
    this.#setActive(null);
    this.#hasFailed = false;
    const { retire: why } = execution;
    if (why === null) return { executionId, outcome, posted: execution.posted };
    execution.post({ type: 'retire', executionId, why, outcome });
    this.#hasFailed = true;
    this.hasRetired = true;
    await delay(RETIRED_MS).promise;
    return { executionId, outcome, posted: execution.posted };
  }

  #setActive(execution: Execution | null): void {
    this.#active = execution;
    setActive(execution);
  }

  /** Stops the execution with this id, if it is active; null stops the active one. */
  cancel(executionId: number | null, because: StopCause): void {
    const execution = this.#active;
    if (execution === null || (executionId ?? idOf(execution)) !== idOf(execution)) return;
    execution.post({ type: 'stopping', executionId: idOf(execution) });
    execution.stop({ because, failure: stopFailure(because, execution) });
  }

  #crash(how: 'uncaught-exception' | 'unhandled-rejection', error: unknown): void {
    const execution = currentExecution.getStore() ?? this.#active;
    if (execution === null) {
      // By what an earlier workstream's code has changed since it ended, a batch may not have been received.
      if (this.#isIdle) exit(0);
      return;
    }
    const thrown = flattenThrown(error, this.#host.redactor);
    if (execution.ended) {
      execution.late(lateError(how, thrown));
      return;
    }
    if (how === 'uncaught-exception') execution.retire ??= 'an exception was not caught';
    execution.stop({ because: 'crashed', failure: { reason: 'thrown', how, thrown } });
  }
}

/** What is told of an error that comes when its execution has ended. */
export const lateError = (how: string, { name, message }: Thrown): string => `${how}: ${name}: ${message}`;

const idOf = ({ assignment }: Execution): number => assignment.executionId;

function stopFailure(because: StopCause, execution: Execution): Failure {
  switch (because) {
    case 'timed-out': {
      const seconds = execution.assignment.limits.timeoutSeconds;
      return { reason: 'timed-out', seconds, step: null, tail: execution.output.tail(0) };
    }
    case 'output-limit':
      return execution.outputLimitFailure();
    case 'interrupted':
      return { reason: 'interrupted', detail: 'it was running and was told to stop' };
    case 'cancelled':
      return { reason: 'cancelled', detail: 'it was running and was told to stop' };
  }
}

/**
 * From now on code of this place can't signal what it runs in: the process of the run, which is that of every thread,
 * its process group, and what they descend from. An agent that is a process may end itself. It is an error that the
 * code gets to see, as `process.chdir` and `process.abort` are in a thread; its child processes are not kept from it.
 */
function guardMillrace(place: AgentHost['place']): void {
  const kill = process.kill.bind(process);
  const isOwn = (target: number): boolean =>
    place === 'process' && [0, process.pid, -process.pid].includes(target);
  process.kill = (pid, signal) => {
    const target = Number(pid);
    if (signal !== 0 && Number.isInteger(target) && isVital(target) && !isOwn(target)) {
      throw new Error(
        `process.kill(${target}, ${JSON.stringify(signal ?? 'SIGTERM')}) was refused: what has that number runs Millrace, and with it all workstreams. To fail a workstream, throw an error.`,
      );
    }
    return kill(pid, signal);
  };
}
