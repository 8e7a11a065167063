/** The engine that executes each assignment in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import {
  type FromAgent,
  fromAgentSchema,
  lastWordSchema,
  opened,
  type ToProcess,
} from '../domain/agent-message.ts';
import { type Assignment, inProject } from '../domain/assignment.ts';
import type { Engine, ExecuteOptions, LocalEngine } from '../domain/engine.ts';
import type { Failure } from '../domain/failure.ts';
import type { Death } from '../domain/failure-message.ts';
import { type Answer, internalError, type Outcome } from '../domain/outcome.ts';
import { openLog } from '../os/log-file.ts';
import { MARK_VARIABLE, markValue } from '../os/owned-processes.ts';
import { signalGroup } from '../os/process-group.ts';
import { hasProcessTable } from '../os/process-table.ts';
import { writeAll } from '../os/regular-file.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { firstOf } from '../text/cut-text.ts';
import { ActiveExecution } from './active-execution.ts';
import { lostOutcome, processFailure, redactUnfinishedLog } from './crash.ts';
import { entryFile } from './entry-file.ts';
import { TypeScriptModules } from './typescript.ts';

export interface ProcessEngineOptions {
  /** Absolute folder that the paths of assignments are relative to. */
  project: string;
  /** Memory limit in MB of a workstream that names none; null for none. */
  memoryMb: number | null;
  /** pino level of the workstreams' own loggers. */
  logLevel: string;
  /** Called with what a workstream's code did after its workstream had ended. */
  onLate(workstreamId: string, text: string): void;
  /** Folder for compiled modules. */
  cacheFolder: string;
  /** Applied to everything that workstreams print or send. */
  redactor: Redactor;
}

/** An execution with its process and what that answered. */
interface ActiveProcess {
  execution: ActiveExecution;
  process: AgentProcess;
  memoryMb: number | null;
  answer: Answer | null;
}

/**
 * A process costs some 100 ms and 40 MB, and may die in every way that there is: by a signal, by an exhausted heap, in
 * native code. With a memory limit its heap is limited and, on Linux, everything it holds; elsewhere Buffers are not.
 */
export class ProcessEngine implements Engine, Pick<LocalEngine, 'inChildren'> {
  readonly #options: ProcessEngineOptions;
  readonly #modules: TypeScriptModules;
  readonly #active = new Set<ActiveProcess>();
  #closed = false;

  constructor(options: ProcessEngineOptions) {
    this.#options = options;
    this.#modules = new TypeScriptModules(options.cacheFolder);
  }

  /** The caller decides how many run at once. */
  async execute(given: Assignment, options: ExecuteOptions): Promise<Outcome> {
    const assignment = inProject(given, this.#options.project);
    let active: ActiveProcess | null = null;
    const execution = new ActiveExecution(assignment, options, (message) => active?.process.send(message));
    try {
      const typeScript = await this.#modules.prepare([assignment]);
      if (this.#closed) throw new Error('the engine was closed before it started');
      active = this.#start(execution);
      this.#active.add(active);
      const { process } = active;
      execution.terminate.signal.addEventListener('abort', () => process.kill(), { once: true });
      if (execution.terminate.signal.aborted) process.kill();
      const item = { assignment, typeScript, mark: execution.mark };
      const { logLevel, cacheFolder, redactor } = this.#options;
      const { secrets } = redactor;
      process.send({ type: 'start', key: process.key, item, logLevel, cacheFolder, secrets });
      return await this.#outcome(active, await process.ended);
    } catch (error) {
      execution.close();
      return lostOutcome(startFailure(error), execution.begin, assignment.logFile);
    } finally {
      if (active !== null) this.#active.delete(active);
    }
  }

  get inChildren(): number {
    return [...this.#active].filter(({ execution }) => execution.hasChildren).length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ends = [...this.#active].map(({ process }) => {
      process.kill();
      return process.ended;
    });
    await Promise.allSettled(ends);
  }

  #start(execution: ActiveExecution): ActiveProcess {
    const memoryMb = execution.assignment.workstream.memoryLimitMb ?? this.#options.memoryMb;
    const process = new AgentProcess({
      mark: execution.mark,
      memoryMb,
      onMessage: (message, raw) => this.#receive(active, message, raw),
      onOverLimit: () => {
        execution.verdict = { reason: 'out-of-memory', of: 'process', limitMb: memoryMb };
        execution.terminate.abort();
      },
    });
    execution.agentProcess = process.pid;
    const active: ActiveProcess = { execution, process, memoryMb, answer: null };
    return active;
  }

  #receive(active: ActiveProcess, message: FromAgent | null, raw: unknown): void {
    const { execution } = active;
    if (message === null) refuse(execution, raw);
    else if (message.type === 'late') this.#options.onLate(message.workstreamId, message.text);
    else if (message.type === 'answer') {
      active.answer = message;
      execution.measure();
      active.process.killIn(exitSeconds(execution.assignment));
    } else execution.receive(message);
  }

  /** What it started is ended from here where it could not do so itself any more. */
  async #outcome({ execution, process, memoryMb, answer }: ActiveProcess, end: Death): Promise<Outcome> {
    const { assignment, retired, verdict, begin } = execution;
    const { redactor } = this.#options;
    const kept = keepStray(redactor.cutText(process.stray), assignment.logFile);
    if (answer !== null) {
      execution.close();
      const { warnings, logFile } = answer.outcome;
      const late = process.overstayed
        ? [`Its process did not end within ${exitSeconds(assignment)} s after it, and was ended.`]
        : [];
      return execution.judge({
        ...answer.outcome,
        warnings: [...warnings, ...late],
        logFile: logFile ?? kept,
      });
    }
    const left = await execution.endProcesses(this.#closed ? 0 : assignment.limits.graceSeconds);
    const warnings = [
      ...(await redactUnfinishedLog(assignment, redactor)),
      ...left.map((text) => redactor.text(text)),
    ];
    const outcome =
      retired?.outcome ??
      lostOutcome(verdict ?? processFailure(end, process.stray, memoryMb), begin, assignment.logFile);
    outcome.warnings.push(...warnings);
    return execution.judge(outcome);
  }
}

/** A last message that can't be parsed ends its execution: no other will follow. */
function refuse(execution: ActiveExecution, raw: unknown): void {
  if (!lastWordSchema.safeParse(raw).success) return;
  execution.verdict = { reason: 'invalid-result', detail: 'what its process answered could not be read' };
  execution.terminate.abort();
}

/** Appends what it printed past its log. Returns the log's path, or null where there was nothing. */
function keepStray(text: string, logFile: string): string | null {
  if (text === '') return null;
  const descriptor = openLog(logFile);
  writeAll(descriptor, Buffer.from(text));
  closeSync(descriptor);
  return logFile;
}

function startFailure(error: unknown): Failure {
  if (error instanceof Error && 'syscall' in error) {
    return { reason: 'workspace-error', detail: `Its process could not be started: ${error.message}.` };
  }
  return internalError(error);
}

/**
 * What a process may hold beyond its limit, in MB: Node itself, its code and the youngest part of its heap. With its
 * heap used up an agent holds some 80 MB more than the limit on Node 20, and 110 MB on Node 24 and 26.
 */
const NODE_MB = 150;

/** How long a process that has answered may take to end: code may be executed when it does. */
const exitSeconds = ({ limits }: Assignment): number => limits.graceSeconds + 1;

const MEMORY_WATCH_MS = 100;
const MAX_STRAY = 64 * 1024;

interface AgentProcessOptions {
  /** In its environment, by which it is found when this process has died. */
  mark: string;
  /** Memory that it may use in MB; null for no limit. */
  memoryMb: number | null;
  /** Called with each message; null for one that can't be parsed. */
  onMessage: (message: FromAgent | null, raw: unknown) => void;
  /** Called once, when it uses more memory than it may. It is not ended by that. */
  onOverLimit: () => void;
}

/** The process of one agent: its messages, its memory, and how it ends. */
class AgentProcess {
  /** Only messages that carry it count. */
  readonly key = randomUUID();
  readonly #child: ChildProcess;
  readonly #watch: NodeJS.Timeout | undefined;
  #killing: NodeJS.Timeout | undefined;
  /** Whether it was ended because it did not end in time. */
  overstayed = false;
  /** Resolves when it has ended and all its messages have been delivered. Rejects when it can't be started. */
  readonly ended: Promise<Death>;
  #stray = '';

  /** It leads a process group of its own, so that a Ctrl-C in the terminal reaches only Millrace. */
  constructor(options: AgentProcessOptions) {
    const { mark, memoryMb } = options;
    const heap = memoryMb === null ? [] : [`--max-old-space-size=${Math.ceil(memoryMb)}`];
    this.#child = spawn(process.execPath, [...process.execArgv, ...heap, entryFile('process-entry')], {
      detached: true,
      env: { ...process.env, [MARK_VARIABLE]: markValue(mark) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (signed: unknown) => {
      const raw = opened(signed, this.key);
      if (raw === undefined) return;
      const parsed = fromAgentSchema.safeParse(raw);
      options.onMessage(parsed.success ? parsed.data : null, raw);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#stray = firstOf(this.#stray + text, MAX_STRAY);
      });
    }
    this.#watch = memoryMb === null ? undefined : this.#watchMemory(memoryMb + NODE_MB, options.onOverLimit);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      // The pipes may be held open by what it started and left: they are not waited for.
      this.#child.once('exit', (exitCode, signal) => {
        clearInterval(this.#watch);
        clearTimeout(this.#killing);
        const end = (): void => resolve({ exitCode, signal });
        // Messages that it sent before are read until the channel is closed.
        if (this.#child.connected) this.#child.once('disconnect', end);
        else setImmediate(end);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it printed past the agent's own log, such as the last words of Node: the first 64 KiB. */
  get stray(): string {
    return this.#stray;
  }

  /** What is sent to one that has ended is lost. */
  send(message: ToProcess): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Ends it now. */
  kill(): void {
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL');
  }

  /** Ends it in so many seconds, unless it has ended by then. */
  killIn(seconds: number): void {
    // What it has sent may be read after its end.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    clearTimeout(this.#killing);
    this.#killing = setTimeout(() => {
      this.overstayed = true;
      this.kill();
    }, seconds * 1000);
  }

  #watchMemory(limitMb: number, onOverLimit: () => void): NodeJS.Timeout | undefined {
    if (!hasProcessTable) return undefined;
    const watch = setInterval(() => {
      if (this.pid === undefined || residentMb(this.pid) <= limitMb) return;
      clearInterval(watch);
      onOverLimit();
    }, MEMORY_WATCH_MS);
    return watch;
  }
}

/** What a process holds in memory in MB; 0 when it has ended. */
function residentMb(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    // It has just ended.
    return 0;
  }
}
