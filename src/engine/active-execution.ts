/**
 * One execution, in a thread or a process, as the main thread sees it: its clock, the processes it started, and how it
 * is stopped.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import type { Cancellation, FromAgent } from '../domain/agent-message.ts';
import type { Assignment } from '../domain/assignment.ts';
import type { CancelReason, EngineMessage, ExecuteOptions, StopCause } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import type { Outcome } from '../domain/outcome.ts';
import { declaredReservation } from '../domain/workstream.ts';
import { leftSentences, OwnedProcesses, runMark, straySentence, straysAmong } from '../os/owned-processes.ts';
import { hasProcessTable, startedWithin } from '../os/process-table.ts';
import { type StartTime, secondsSince, startTimer } from '../os/stopwatch.ts';
import { UsageMeter } from './usage-meter.ts';

/** Beyond the grace: what the thread needs to end its child processes and answer. */
const ANSWER_SECONDS = 1;
/** How long an agent has to acknowledge a cancellation; one that does not is blocked and can't end its processes. */
const ACKNOWLEDGE_MS = 500;
/** How long messages are waited for that were sent before the answer. */
const MESSAGES_MS = 1_000;

/** What of an execution is known before; otherwise it begins now, with a mark and a place of its own. */
export interface ExecutionFields {
  terminate?: AbortController;
  mark?: string;
  begin?: StartTime;
  /** Whether its agent has begun with it. Default: once that has sent something. */
  hasBegun?: () => boolean;
}

/** What an agent sends about its active execution. */
export type ExecutionMessage = Exclude<FromAgent, { type: 'late' | 'answer' }>;

export class ActiveExecution {
  readonly assignment: Assignment;
  /** In the environment of every process that it starts. */
  readonly mark: string;
  readonly begin: StartTime;
  /** Aborted to end the thread or process. */
  readonly terminate: AbortController;
  /** Set when the agent sent its outcome and asked for its thread to be replaced. */
  retired: { outcome: Outcome; why: string } | null = null;
  /** The failure that the main thread gives it when the agent does not answer any more. */
  verdict: Failure | null = null;
  readonly #options: ExecuteOptions;
  readonly #send: (message: Cancellation) => void;
  readonly #hasBegun: () => boolean;
  #received = 0;
  #onReceived: () => void = () => undefined;
  readonly #owned: OwnedProcesses;
  /** Null for a workstream that reserves nothing. */
  readonly #meter: UsageMeter | null;
  #isProcess = false;
  #timeout: NodeJS.Timeout;
  #hard: NodeJS.Timeout | undefined;
  #acknowledgement: NodeJS.Timeout | undefined;
  /** When the main thread sent its processes SIGTERM; null as long as it did not. */
  #terminated: { at: StartTime; failure: Failure } | null = null;
  #stepTimeout: NodeJS.Timeout | undefined;
  readonly #log: WatchedLog;
  /** Why it was told to stop from outside; null where it was not. */
  #cancelled: CancelReason | null = null;
  readonly #onAbort = (): void => this.cancel(this.#options.signal.reason);

  constructor(
    assignment: Assignment,
    options: ExecuteOptions,
    send: (message: Cancellation) => void,
    fields: ExecutionFields = {},
  ) {
    this.assignment = assignment;
    this.begin = fields.begin ?? startTimer();
    this.terminate = fields.terminate ?? new AbortController();
    this.mark = fields.mark ?? `${runMark(assignment.runId)}${randomUUID()}`;
    this.#owned = new OwnedProcesses(this.mark);
    this.#meter = declaredReservation(assignment.workstream) === null ? null : new UsageMeter();
    this.#options = options;
    this.#send = send;
    this.#hasBegun = fields.hasBegun ?? (() => this.#received > 0);
    this.#timeout = this.#startTimeout(secondsSince(this.begin));
    this.#log = {
      path: assignment.logFile,
      since: this.begin.at,
      startBytes: null,
      mostBytes: mostOutput(assignment),
      onOver: () => this.#printedTooMuch(),
    };
    watchLog(this.#log);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
  }

  /** Whether a process that it started is known to be alive. */
  get hasChildren(): boolean {
    return this.#owned.hasGroups;
  }

  /** The agent's own process, where it is one. */
  set agentProcess(pid: number | undefined) {
    this.#owned.spare(pid);
    this.#isProcess = true;
    if (pid !== undefined) this.#meter?.started(pid);
  }

  /** Measures what it uses once more: its agent is about to end. */
  measure(): void {
    this.#meter?.sample();
  }

  /** Reports to the caller of the engine. */
  report(message: EngineMessage): void {
    this.#options.onMessage(message);
  }

  /** Acts on a message of this execution's agent. */
  receive(message: ExecutionMessage): void {
    this.#received += 1;
    this.#onReceived();
    switch (message.type) {
      case 'started':
        return this.#restartTimeout();
      case 'progress':
        return this.report({ type: 'progress', fraction: message.fraction, text: message.text });
      case 'log':
        return this.report({ type: 'log', line: message.line });
      case 'session': {
        const { stepId, tool, sessionId } = message;
        return this.report({ type: 'session', stepId, tool, sessionId });
      }
      case 'process-started':
        // A process of the agent's own has all others among its descendants.
        if (!this.#isProcess) this.#meter?.started(message.pid);
        return this.#owned.add(message.pid, message.startedAt);
      case 'process-ended':
        this.#meter?.ended(message.pid);
        this.#owned.forget(message.pid);
        return undefined;
      case 'process-usage':
        return this.#meter?.told(message.pid, message);
      case 'waits':
        this.#meter?.waits(message.thread);
        return this.#owned.addThread(message.thread);
      case 'stopping':
        return clearTimeout(this.#acknowledgement);
      case 'deadline':
        return this.#stepDeadline(message.step, message.seconds);
      case 'retire':
        return this.#retire(message.why, message.outcome);
    }
  }

  /**
   * Resolves when that many messages have arrived: they travel another way than the answer. Code that closed its
   * thread's port may have held one back for ever, so the wait is short.
   */
  async receivedAll(posted: number): Promise<void> {
    if (this.#received >= posted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, MESSAGES_MS);
      this.#onReceived = () => {
        if (this.#received < posted) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Stops all timers: the thread has answered, and has ended what it started. */
  close(): void {
    this.#stopTimers();
    if (this.hasChildren) this.#owned.signal('SIGKILL', 'groups');
  }

  /** The outcome, with the failure for which its processes were ended where the main thread ended them. */
  judge(given: Outcome): Outcome {
    const usage = this.#meter?.usage(this.#isProcess ? null : given.cpuSeconds);
    const outcome = usage === undefined ? given : { ...given, usage };
    const failure = this.#terminated?.failure;
    if (failure === undefined || outcome.failure?.reason === failure.reason) return outcome;
    return { ...outcome, status: 'failed', failure, output: null };
  }

  /**
   * Stops all timers, and ends the processes of a thread that can't do so itself any more, whatever group they are in.
   * Resolves with warnings about them.
   * @param graceSeconds from SIGTERM to SIGKILL.
   */
  async endProcesses(graceSeconds: number): Promise<string[]> {
    this.#stopTimers();
    const passed = this.#terminated === null ? 0 : secondsSince(this.#terminated.at);
    const ended = await this.#owned.end(Math.max(0, graceSeconds - passed), 'everywhere');
    const strays = hasProcessTable
      ? straysAmong(startedWithin(secondsSince(this.begin)), this.assignment.workspace)
      : [];
    return [...leftSentences(ended), ...(strays.length === 0 ? [] : [straySentence(strays)])];
  }

  #stopTimers(): void {
    clearTimeout(this.#timeout);
    clearTimeout(this.#hard);
    clearTimeout(this.#acknowledgement);
    clearTimeout(this.#stepTimeout);
    unwatchLog(this.#log);
    this.#meter?.stop();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  /** @param passed seconds of its time that are over. */
  #startTimeout(passed: number): NodeJS.Timeout {
    const seconds = this.assignment.limits.timeoutSeconds;
    return setTimeout(() => this.#timedOut(seconds), (seconds - passed) * 1000);
  }

  /** Starting the thread is not the workstream's time, not even where it took longer than the workstream has. */
  #restartTimeout(): void {
    clearTimeout(this.#timeout);
    this.#timeout = this.#startTimeout(0);
    clearTimeout(this.#hard);
    // A cancellation that was sent before the thread could listen is sent again.
    if (this.#cancelled !== null) this.cancel(this.#cancelled);
  }

  /** An agent that has not begun is not told, as it would find that as soon as it begins, and its time counts from there. */
  #timedOut(seconds: number): void {
    const failure: Failure = { reason: 'timed-out', seconds, step: null, tail: '' };
    if (this.#hasBegun()) this.#stop('timed-out', failure);
    else this.#endIn(this.#graceSeconds, failure);
  }

  #printedTooMuch(): void {
    const { limits, logFile: log } = this.assignment;
    const limitMb = limits.maxOutputMb;
    // Only the agent knows what it is executing: this failure counts where the agent does not answer any more.
    this.#stop('output-limit', { reason: 'output-limit', limitMb, command: null, tail: '', log });
  }

  /** Tells it to stop, and ends it where it does not within its grace. The first reason counts. */
  cancel(because: CancelReason): void {
    this.#cancelled ??= because;
    const detail = 'it was running and did not stop when it was told to';
    this.#stop(this.#cancelled, { reason: this.#cancelled, detail });
  }

  /**
   * A thread that waits in a synchronous call for a child process does not get the message, and returns when that process
   * ends: so where no acknowledgement arrives the main thread ends the processes itself.
   */
  #stop(because: StopCause, failure: Failure): void {
    this.#send({ type: 'cancel', executionId: this.assignment.executionId, because });
    clearTimeout(this.#acknowledgement);
    this.#acknowledgement = setTimeout(() => {
      this.#terminated = { at: startTimer(), failure };
      this.#owned.signal('SIGTERM');
    }, ACKNOWLEDGE_MS);
    this.#endIn(this.#graceSeconds, failure);
  }

  /** The agent ends a step at its limit itself, unless its thread is blocked. */
  #stepDeadline(step: string, seconds: number | null): void {
    clearTimeout(this.#stepTimeout);
    if (seconds === null) return;
    const failure: Failure = { reason: 'timed-out', seconds, step, tail: '' };
    this.#stepTimeout = setTimeout(() => this.#endIn(0, failure), (seconds + this.#graceSeconds) * 1000);
  }

  get #graceSeconds(): number {
    return this.assignment.limits.graceSeconds + ANSWER_SECONDS;
  }

  #endIn(seconds: number, failure: Failure): void {
    clearTimeout(this.#hard);
    this.#hard = setTimeout(() => {
      this.verdict = failure;
      this.terminate.abort();
    }, seconds * 1000);
  }

  #retire(why: string, outcome: Outcome): void {
    this.retired = { outcome, why };
    this.terminate.abort();
  }
}

const BYTES_PER_MB = 1e6;

/** Each step may print as much as the limit allows, and so may its set-up, and its modules themselves. */
function mostOutput({ workstream, limits }: Assignment): number {
  return (workstream.steps.length + 2) * limits.maxOutputMb * BYTES_PER_MB;
}

const WATCH_MS = 500;

/**
 * A log whose size is watched from the main thread: the agent does so itself, unless its thread is blocked, as by a
 * command that it waits for.
 */
interface WatchedLog {
  path: string;
  /** When the execution began, in milliseconds since 1970. */
  since: number;
  /** What an earlier session had left in it; null before it was looked up. */
  startBytes: number | null;
  /** Most that may be added to that. */
  mostBytes: number;
  onOver(): void;
}

const logs = new Set<WatchedLog>();
let timer: NodeJS.Timeout | null = null;

/** Calls `onOver` once when more was added to the log than may be. */
function watchLog(log: WatchedLog): void {
  logs.add(log);
  timer ??= setInterval(checkSizes, WATCH_MS).unref();
}

function unwatchLog(log: WatchedLog): void {
  if (!logs.delete(log) || logs.size > 0 || timer === null) return;
  clearInterval(timer);
  timer = null;
}

function checkSizes(): void {
  for (const log of logs) {
    if (addedTo(log) <= log.mostBytes) continue;
    unwatchLog(log);
    log.onOver();
  }
}

/** Of the coarse clock of file systems. */
const CLOCK_MS = 50;

/**
 * Bytes that were added to a log. One that was there before is measured from the first time it is looked up, so that
 * starting an execution costs no system call.
 */
function addedTo(log: WatchedLog): number {
  const stats = statsOf(log.path);
  if (stats === null) return 0;
  const isOlder = stats.birthtimeMs > 0 && stats.birthtimeMs < log.since - CLOCK_MS;
  log.startBytes ??= isOlder ? stats.size : 0;
  return stats.size - log.startBytes;
}

function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    // Its folder is not there, or closed: nothing more gets there by this path.
    return null;
  }
}
