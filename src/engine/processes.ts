import { internalError } from '../domain/internal-error.ts';
import type { Failure } from '../domain/failure.ts';
/** The engine that gives each assignment a process of its own. */
import { closeSync } from 'node:fs';
import { type FromAgent, lastWordSchema } from '../domain/agent-message.ts';
import type { Assignment } from '../domain/assignment.ts';
import type { Death } from '../domain/death.ts';
import type { Engine, EngineRunOptions } from '../domain/engine.ts';
import type { Answer, Outcome } from '../domain/outcome.ts';
import { openLog } from '../support/log-file.ts';
import type { Redactor } from '../support/redactor.ts';
import { writeAll } from '../support/regular-file.ts';
import { AgentProcess } from './agent-process.ts';
import { lostOutcome } from './crash.ts';
import { redactLeft } from './redact-left.ts';
import { processFailure } from './process-crash.ts';
import { ExecutionInHand } from './execution-in-hand.ts';
import { CompileError, TypeScriptModules } from './typescript.ts';

export interface ProcessEngineOptions {
  /** Memory limit in MB of a workstream that names none; null for none. */
  memoryMb: number | null;
  /** pino level of the workstreams' own loggers. */
  logLevel: string;
  /** Told of what a workstream's code did after its workstream had ended. */
  onLate(workstreamId: string, text: string): void;
  /** Folder for compiled modules. */
  cacheFolder: string;
  /** Everything that workstreams print or say goes through it. */
  redactor: Redactor;
}

/** An execution with its process and what that answered. */
interface Hand {
  execution: ExecutionInHand;
  process: AgentProcess;
  memoryMb: number | null;
  answer: Answer | null;
}

/**
 * A process costs some 100 ms and 40 MB, and may die in every way that there is: by a signal, by an exhausted heap, in
 * native code. With a memory limit its heap is limited and, on Linux, everything it holds; elsewhere Buffers are not.
 */
export class ProcessEngine implements Engine {
  readonly #options: ProcessEngineOptions;
  readonly #modules: TypeScriptModules;
  readonly #hands = new Set<Hand>();
  #closed = false;

  constructor(options: ProcessEngineOptions) {
    this.#options = options;
    this.#modules = new TypeScriptModules(options.cacheFolder);
  }

  /** Never rejects. How many run at once is up to the caller. */
  async run(assignment: Assignment, options: EngineRunOptions): Promise<Outcome> {
    let hand: Hand | null = null;
    const execution = new ExecutionInHand(assignment, options, (message) => hand?.process.send(message));
    try {
      const compiled = await this.#modules.compile(assignment);
      if (this.#closed) throw new Error('the engine was closed before it started');
      hand = this.#start(execution);
      this.#hands.add(hand);
      const { process } = hand;
      execution.terminate.signal.addEventListener('abort', () => process.kill(), { once: true });
      if (execution.terminate.signal.aborted) process.kill();
      const handed = { assignment, compiled, mark: execution.mark };
      const { logLevel, redactor } = this.#options;
      process.send({ type: 'start', key: process.key, handed, logLevel, secrets: redactor.secrets });
      return await this.#outcome(hand, await process.ended);
    } catch (error) {
      execution.close();
      return lostOutcome(startFailure(error), execution.begin, assignment.logFile);
    } finally {
      if (hand !== null) this.#hands.delete(hand);
    }
  }

  /** A process of its own waits for nobody. */
  lineUp(assignment: Assignment, options: EngineRunOptions): Promise<Outcome> {
    return this.run(assignment, options);
  }

  get inChildren(): number {
    return [...this.#hands].filter(({ execution }) => execution.hasChildren).length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ends = [...this.#hands].map(({ process }) => {
      process.kill();
      return process.ended;
    });
    await Promise.allSettled(ends);
  }

  #start(execution: ExecutionInHand): Hand {
    const memoryMb = execution.assignment.workstream.memoryLimitMb ?? this.#options.memoryMb;
    const process = new AgentProcess({
      mark: execution.mark,
      memoryMb,
      onMessage: (message, raw) => this.#receive(hand, message, raw),
      onOverLimit: () => {
        execution.verdict = { reason: 'out-of-memory', of: 'process', limitMb: memoryMb };
        execution.terminate.abort();
      },
    });
    execution.agentProcess = process.pid;
    const hand: Hand = { execution, process, memoryMb, answer: null };
    return hand;
  }

  #receive(hand: Hand, message: FromAgent | null, raw: unknown): void {
    const { execution } = hand;
    if (message === null) refuse(execution, raw);
    else if (message.type === 'late') this.#options.onLate(message.workstreamId, message.text);
    else if (message.type === 'answer') hand.answer = message;
    else execution.receive(message);
  }

  /** What it started is ended from here where it could not do so itself any more. */
  async #outcome({ execution, process, memoryMb, answer }: Hand, end: Death): Promise<Outcome> {
    const { assignment, retired, verdict, begin } = execution;
    const { redactor } = this.#options;
    const kept = keepStray(redactor.cutText(process.stray), assignment.logFile);
    if (answer !== null) {
      execution.close();
      return execution.judge({ ...answer.outcome, logFile: answer.outcome.logFile ?? kept });
    }
    const left = await execution.endProcesses(this.#closed ? 0 : assignment.limits.graceSeconds);
    const warnings = [
      ...(await redactLeft(assignment, redactor)),
      ...left.map((text) => redactor.text(text)),
    ];
    const outcome =
      retired?.outcome ??
      lostOutcome(verdict ?? processFailure(end, process.stray, memoryMb), begin, assignment.logFile);
    outcome.warnings.push(...warnings);
    return execution.judge(outcome);
  }
}

/** A last word that can't be read is all that its execution will ever say. */
function refuse(execution: ExecutionInHand, raw: unknown): void {
  if (!lastWordSchema.safeParse(raw).success) return;
  execution.verdict = { reason: 'invalid-result', detail: 'what its process answered could not be read' };
  execution.terminate.abort();
}

/** What it printed past its log belongs there too; gives the log, or null where there was nothing. */
function keepStray(text: string, logFile: string): string | null {
  if (text === '') return null;
  const descriptor = openLog(logFile);
  writeAll(descriptor, Buffer.from(text));
  closeSync(descriptor);
  return logFile;
}

function startFailure(error: unknown): Failure {
  if (error instanceof CompileError) return error.failure;
  if (error instanceof Error && 'syscall' in error) {
    return { reason: 'workspace-error', detail: `Its process could not be started: ${error.message}.` };
  }
  return internalError(error);
}
