/** An agent: one assignment in, one outcome out, and nothing that a workstream's code does escapes it. */
import type { Cancellation } from '../src/domain/agent-message.ts';
import type { BatchItem } from '../src/domain/engine.ts';
import type { Failure } from '../src/domain/failure.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { isVital } from '../src/os/process-group.ts';
import type { AgentHost } from './agent-host.ts';
import { execute, usesModules } from './execute.ts';
import { currentExecution, Execution, setInHand } from './execution.ts';
import { watchChildProcesses } from './processes/watch-child-processes.ts';
import { delay } from './thread/delay.ts';
import { captureStandardOutput } from './thread/stdio.ts';
import { ThreadState } from './thread/thread-state.ts';
import { flattenThrown } from './thread/thrown.ts';

/** How long the main thread gets to end a place that has said its outcome, in milliseconds. */
const RETIRED_MS = 1_000;

export class Agent {
  readonly #host: AgentHost;
  /** The execution it has in hand. */
  #inHand: Execution | null = null;
  /** Null in a process, which executes one assignment. */
  readonly #state: ThreadState | null;
  #isFresh = true;
  /** Whether an execution was begun and did not come to its end, or is under way. */
  #hasFailed = false;
  /** Whether code of a workstream has been executed here: nothing else can change this place. */
  #hasRunModules = false;

  /** From now on everything that user code sets in motion here is watched. Make one in a thread or process. */
  constructor(host: AgentHost) {
    this.#host = host;
    captureStandardOutput();
    watchChildProcesses();
    guardMillrace(host.place);
    // Errors that no code of the workstream catches are its failure, and never another one's.
    process.on('uncaughtException', (error) => this.#crash('uncaught-exception', error));
    process.on('unhandledRejection', (error) => this.#crash('unhandled-rejection', error));
    this.#state = host.place === 'thread' ? new ThreadState() : null;
  }

  /** Whether what earlier executions set in motion has changed this place meanwhile: nothing is to begin in it then. */
  get isSpoilt(): boolean {
    if (this.#hasFailed) return true;
    return this.#hasRunModules && this.#state !== null && this.#state.changed(false) !== null;
  }

  /** Whether it has given its last answer: nothing more is to begin in this place. */
  hasRetired = false;

  /**
   * Executes. Where this place is not fit for another execution the outcome is sent, and the main thread ends the
   * place; only if that has not happened in time, because code had closed the way there, is it returned.
   */
  async take(handed: BatchItem): Promise<Answer> {
    const { executionId } = handed.assignment;
    const execution = new Execution(handed, this.#host);
    this.#hold(execution);
    this.#hasFailed = true;
    this.#hasRunModules ||= usesModules(execution);
    if (this.#isFresh) execution.post({ type: 'started', executionId });
    this.#isFresh = false;
    if (Object.keys(handed.compiled).length > 0) process.setSourceMapsEnabled(true);
    const outcome = await execute(execution, this.#state);
    this.#hold(null);
    this.#hasFailed = false;
    const { retire: why } = execution;
    if (why === null) return { executionId, outcome, posted: execution.posted };
    execution.post({ type: 'retire', executionId, why, outcome });
    this.#hasFailed = true;
    this.hasRetired = true;
    await delay(RETIRED_MS).promise;
    return { executionId, outcome, posted: execution.posted };
  }

  #hold(execution: Execution | null): void {
    this.#inHand = execution;
    setInHand(execution);
  }

  /** Stops the execution that is meant, if it is in hand; null means whichever is. */
  cancel(executionId: number | null, because: Cancellation['because']): void {
    const execution = this.#inHand;
    if (execution === null || (executionId ?? idOf(execution)) !== idOf(execution)) return;
    execution.post({ type: 'stopping', executionId: idOf(execution) });
    execution.stop({ because, failure: stopFailure(because, execution) });
  }

  #crash(how: 'uncaught-exception' | 'unhandled-rejection', error: unknown): void {
    const execution = currentExecution.getStore() ?? this.#inHand;
    if (execution === null) return;
    const thrown = flattenThrown(error, this.#host.redactor);
    if (execution.ended) {
      execution.late(`${how}: ${thrown.name}: ${thrown.message}`);
      return;
    }
    if (how === 'uncaught-exception') execution.retire ??= 'an exception was not caught';
    execution.stop({ because: 'crashed', failure: { reason: 'thrown', how, thrown } });
  }
}

const idOf = ({ assignment }: Execution): number => assignment.executionId;

function stopFailure(because: Cancellation['because'], execution: Execution): Failure {
  switch (because) {
    case 'timed-out': {
      const seconds = execution.assignment.limits.timeoutSeconds;
      return { reason: 'timed-out', seconds, step: null, tail: execution.output.tail(0) };
    }
    case 'output-limit': {
      const { limits, logFile: log, workstream } = execution.assignment;
      const tail = execution.output.tail(0);
      return { reason: 'output-limit', limitMb: limits.maxOutputMb, command: workstream.id, tail, log };
    }
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
