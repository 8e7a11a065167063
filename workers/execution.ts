/** The state of one execution, shared by the steps that it runs. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FromAgent } from '../src/domain/agent-message.ts';
import type { Assignment } from '../src/domain/assignment.ts';
import type { AssignmentScope, BatchItem } from '../src/domain/batch/batch-text.ts';
import type { StopCause } from '../src/domain/engine.ts';
import type { Failure } from '../src/domain/failure.ts';
import type { MetricSeries } from '../src/domain/outcome.ts';
import { declaredReservation } from '../src/domain/workstream.ts';
import { MARK_VARIABLE, markValue, nameProcesses } from '../src/os/owned-processes.ts';
import { commandOf } from '../src/os/process-table.ts';
import { startTimer } from '../src/os/stopwatch.ts';
import type { Effort } from '../src/secrets/redact-file.ts';
import type { Redactor } from '../src/secrets/redactor.ts';
import { firstOf } from '../src/text/cut-text.ts';
import { MOST_SERIES, SeriesCollector } from './modules/metric-series.ts';
import { ChildProcesses } from './processes/child-processes.ts';
import type { Launcher } from './processes/launcher.ts';
import { OutputFile } from './processes/output-file.ts';
import type { StepOutcome } from './runners/step-outcome.ts';
import { recentThreadCpuTime } from './thread/cpu-time.ts';
import { now } from './thread/own-globals.ts';
import { StopSignal } from './thread/stop-signal.ts';

const PROGRESS_INTERVAL_MS = 100;
const MAX_WARNINGS = 100;
const MIN_GRACE_SECONDS = 0.5;
const BYTES_PER_MB = 1e6;
const REDACTION_MS = 10_000;
const STOPPED_REDACTION_MS = 500;
const MAX_LATES = 10;
const MAX_LATE_TEXT = 500;

/** What an agent knows of the thread or process it lives in. */
export interface AgentHost {
  /** A thread executes many assignments, a process one. */
  place: 'thread' | 'process';
  /** Starts commands elsewhere; null for an agent that starts them itself. */
  launcher: Launcher | null;
  /** pino level of `context.log`. */
  logLevel: string;
  /** Folder for compiled TypeScript. */
  cacheFolder: string;
  /** Everything that comes from a workstream goes through it before it is kept, cut or sent. */
  redactor: Redactor;
  /** To the coordinator. */
  send(message: FromAgent): void;
}

/** Why an execution stops before its end. */
export interface Stop {
  because: StopCause | 'crashed';
  failure: Failure;
}

/**
 * Ties everything that user code sets in motion (timers, promises, console output) to the execution it belongs to,
 * also after a later execution has started in the same thread.
 */
export const currentExecution = new AsyncLocalStorage<Execution>();

/** The execution of this thread; null while it is idle. */
let active: Execution | null = null;

export function setActive(execution: Execution | null): void {
  active = execution;
}

/**
 * The execution to which current output and child processes belong. What a queue, a logger or a timer does that an
 * earlier execution made, and that modules share, belongs to the active one. Where none is active it is late, and belongs
 * to the one that made it.
 */
export function responsible(): Execution | null {
  const origin = currentExecution.getStore();
  return origin === undefined || (origin.ended && active !== null) ? active : origin;
}

/** What an agent is to execute. A member of a batch makes its whole assignment when that is first asked for. */
export interface ExecutionItem extends BatchItem {
  readonly scope?: AssignmentScope;
}

/** What came of the function of a module step that was called before its step is run. */
export type EarlyCall = { returned: unknown } | { threw: unknown } | { checked: StepOutcome };

/** What it needs besides its assignment is made when it is first used: making it takes longer than a small function runs. */
export class Execution {
  readonly #item: ExecutionItem;
  readonly host: AgentHost;
  readonly begin = startTimer();
  readonly cpuBefore = recentThreadCpuTime();
  /** What was active in its thread before it. */
  readonly resourcesBefore = process.getActiveResourcesInfo();
  /** What its first step has done already; null for nothing. */
  early: EarlyCall | null = null;
  readonly warnings: string[] = [];
  /** Why its thread or process must not be used again; null while it may. */
  retire: string | null = null;
  ended = false;
  /** The running command, as messages show it, and how large the output was before it; null between commands. */
  running: { command: string; start: number } | null = null;
  /** Whether it loaded a module, or called a function that none before it had called in its thread. */
  ranNewCode = false;
  /** How many messages it has sent to the main thread. */
  posted = 0;
  /** US dollars that its tools reported as their cost. */
  spentUsd = 0;
  #children: ChildProcesses | null = null;
  #output: OutputFile | null = null;
  #signal: StopSignal | null = null;
  #stop: Stop | null = null;
  #stoppedAt = 0;
  #lastProgress = Number.NEGATIVE_INFINITY;
  #printed = 0;
  #logged = 0;
  #lates = 0;
  #series: SeriesCollector | null = null;
  #hasTooManySeries = false;

  constructor(item: ExecutionItem, host: AgentHost) {
    this.#item = item;
    this.host = host;
  }

  get assignment(): Assignment {
    return this.#item.assignment;
  }

  get scope(): AssignmentScope {
    return this.#item.scope ?? this.#item.assignment;
  }

  /** Those of its modules that are, or import, TypeScript. */
  get typeScript(): readonly string[] {
    return this.#item.typeScript;
  }

  get output(): OutputFile {
    this.#output ??= new OutputFile(this.assignment.logFile, this.host.redactor);
    return this.#output;
  }

  /** Aborted when it is to stop. */
  get signal(): StopSignal {
    this.#signal ??= new StopSignal();
    return this.#signal;
  }

  get children(): ChildProcesses {
    this.#children ??= this.#trackChildren();
    return this.#children;
  }

  #trackChildren(): ChildProcesses {
    const { executionId, workspace, workstream } = this.assignment;
    const isMeasured = declaredReservation(workstream) !== null;
    return new ChildProcesses({ mark: this.#item.mark, workspace, isMeasured }, (message) => {
      this.post({ ...message, executionId });
      if (!this.ended || message.type !== 'process-started') return;
      // The main thread ends at once what is started then.
      const { pid } = message;
      this.late(
        `it started a process, which was ended: ${nameProcesses([{ pid, command: commandOf(pid) }])}`,
      );
    });
  }

  /** Whether it has neither printed, warned, sent anything nor started a process, and was not stopped. */
  get isUntouched(): boolean {
    return (
      this.#output === null &&
      this.#children === null &&
      this.#stop === null &&
      this.warnings.length === 0 &&
      this.posted === 0
    );
  }

  /** Set once it was stopped from outside or a callback has failed. */
  get stopped(): Stop | null {
    return this.#stop;
  }

  /** Stops it; the first reason counts. */
  stop(stop: Stop): void {
    if (this.#stop !== null || this.ended) return;
    this.#stop = stop;
    this.#stoppedAt = now();
    this.signal.abort(new DOMException(`The workstream is to stop: ${stop.because}.`, 'AbortError'));
  }

  /**
   * How long what it leaves behind may take to end: the grace, or what is left of it since it was stopped. Never less
   * than half a second, which is within the time that the main thread waits for an answer.
   */
  get graceLeft(): number {
    const { graceSeconds } = this.assignment.limits;
    if (this.#stop === null) return graceSeconds;
    const passed = (now() - this.#stoppedAt) / 1000;
    return Math.max(graceSeconds - passed, Math.min(graceSeconds, MIN_GRACE_SECONDS));
  }

  /** How much work the redaction of its files may be; once it was stopped, no more than fits before its answer is due. */
  get redactionEffort(): Effort {
    const isOver = (): boolean => this.#stop !== null && now() - this.#stoppedAt > STOPPED_REDACTION_MS;
    return { milliseconds: REDACTION_MS, isOver };
  }

  /** The failure of an execution that printed too much. Names the running command only if that printed too much itself. */
  outputLimitFailure(): Failure {
    const { limits, logFile: log } = this.assignment;
    const { running, output } = this;
    const limitMb = limits.maxOutputMb;
    const isOver = running !== null && output.size - running.start > limitMb * BYTES_PER_MB;
    const command = isOver ? running.command : null;
    return { reason: 'output-limit', limitMb, command, tail: output.tail(isOver ? running.start : 0), log };
  }

  /** Sends live progress, at most ten times a second. */
  progress(fraction: number | null, text: string): void {
    const at = now();
    if (at - this.#lastProgress < PROGRESS_INTERVAL_MS || this.ended) return;
    this.#lastProgress = at;
    const known = fraction !== null && Number.isFinite(fraction);
    this.post({
      type: 'progress',
      executionId: this.assignment.executionId,
      fraction: known ? Math.min(1, Math.max(0, fraction)) : null,
      text: firstOf(this.host.redactor.cutText(text), 200),
    });
  }

  warn(text: string): void {
    if (this.warnings.length < MAX_WARNINGS) {
      this.warnings.push(firstOf(this.host.redactor.text(text), 2_000));
    } else if (this.warnings.length === MAX_WARNINGS) this.warnings.push('Further warnings were left out.');
  }

  /**
   * Adds a point to the series of a metric.
   * @throws TypeError for what can't be one.
   */
  metric(name: unknown, value: unknown, step: unknown): void {
    if (this.ended) return;
    this.#series ??= new SeriesCollector();
    if (this.#series.add(name, value, step) || this.#hasTooManySeries) return;
    this.#hasTooManySeries = true;
    this.warn(
      `It reported more than ${MOST_SERIES} metrics over time; those of further names were left out.`,
    );
  }

  /** What was reported of its metrics, by name. */
  get series(): Record<string, MetricSeries> {
    if (this.#series === null) return {};
    const { redactor } = this.host;
    return Object.fromEntries(
      Object.entries(this.#series.all).map(([name, series]) => [redactor.text(name), series]),
    );
  }

  /** Keeps what user code printed in this thread, up to the limit. */
  print(chunk: string | Uint8Array): void {
    if (this.ended) return this.#late(chunk);
    const limit = this.assignment.limits.maxOutputMb;
    const before = this.#printed;
    this.#printed += chunk.length;
    if (this.#printed <= limit * BYTES_PER_MB) this.output.write(chunk);
    else if (before <= limit * BYTES_PER_MB) {
      this.warn(
        `It printed more than ${limit} MB; the rest was dropped. Raise --max-output if it is wanted.`,
      );
    }
  }

  /** Its log is closed: what it prints after its end goes into the run's. */
  #late(chunk: string | Uint8Array): void {
    const text = (
      typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8', 0, MAX_LATE_TEXT)
    ).trim();
    if (text !== '') this.late(`it printed: ${text}`);
  }

  /** Reports what its code did after it had ended. */
  late(text: string): void {
    if (this.#lates === MAX_LATES) return;
    this.#lates += 1;
    const { executionId, workstream } = this.assignment;
    const clean = this.host.redactor.cutText(firstOf(text, MAX_LATE_TEXT));
    // Not counted: the answer may be on its way.
    this.host.send({ type: 'late', executionId, workstreamId: workstream.id, text: clean });
  }

  /** Passes on a line of the workstream's own logger, up to the same limit: the main thread has to take them all. */
  log(line: string): void {
    const limit = this.assignment.limits.maxOutputMb;
    const before = this.#logged;
    this.#logged += line.length;
    if (this.#logged <= limit * BYTES_PER_MB) {
      const clean = this.host.redactor.json(line);
      this.post({ type: 'log', executionId: this.assignment.executionId, line: clean });
    } else if (before <= limit * BYTES_PER_MB) {
      this.warn(`It logged more than ${limit} MB; the rest was dropped. Raise --max-output if it is wanted.`);
    }
  }

  /** The variables that every child process gets. */
  environment(): Record<string, string> {
    const { runId, agentId, attempt, workstream } = this.assignment;
    return {
      MILLRACE_RUN_ID: runId,
      MILLRACE_WORKSTREAM_ID: workstream.id,
      MILLRACE_AGENT_ID: agentId,
      MILLRACE_ATTEMPT: String(attempt),
      [MARK_VARIABLE]: markValue(this.#item.mark),
    };
  }

  post(message: FromAgent): void {
    this.posted += 1;
    this.host.send(message);
  }
}
