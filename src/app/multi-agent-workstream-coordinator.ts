/** The library's entry: options in, one run done, its exit code out. */
import { formatProblem } from '../domain/plan.ts';
import type { EventSink, RunEvent, RunListener } from '../domain/run-event.ts';
import { tell } from '../run/listeners.ts';
import { environmentRedactor } from '../secrets/find-secrets.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { asStoreError, StoreError } from '../store/schema/store-error.ts';
import { type CoordinatorOptions, type ParsedOptions, parseOptions } from './options.ts';
import { resolvePaths } from './paths.ts';
import type { Prepared } from './prepare.ts';
import { prepareRun } from './prepare-run.ts';
import { openQueue } from './queue/open-queue.ts';
import { redactPrepared } from './redact-prepared.ts';
import { Refusal } from './refusal.ts';
import { endRemainingOf } from './remaining-processes.ts';
import { importSpills } from './resume/import-spills.ts';
import type { RunResult } from './run-document.ts';
import { RunSession } from './run-session.ts';

/**
 * Runs a folder of workstreams on N agents.
 *
 * ```ts
 * const coordinator = new MultiAgentWorkstreamCoordinator({ agentsCount: 3 });
 * process.exitCode = await coordinator.run();
 * ```
 */
export class MultiAgentWorkstreamCoordinator {
  readonly #parsed: ParsedOptions;
  readonly #listeners: (RunListener | EventSink)[] = [];
  /** Redacts notices that do not go through the journal. */
  #redactor: Redactor;
  #session: RunSession | null = null;
  #interruptedBy: string | null = null;
  #result: RunResult | null = null;

  /** @throws Refusal when an option can't be used. */
  constructor(options: CoordinatorOptions = {}) {
    this.#parsed = parseOptions(options);
    this.#redactor = environmentRedactor(this.#parsed.options.project.redact);
  }

  /** Listens to the events of the run, each after it is on disk. Call it before `run`. */
  subscribe(listener: RunListener | EventSink): void {
    this.#listeners.push(listener);
  }

  /** What the run left; null before it has ended, and when nothing was run. */
  get result(): RunResult | null {
    return this.#result;
  }

  /**
   * Loads, plans, executes, records and reports. Call it once.
   * @returns the exit code: 0 every workstream completed, 1 some did not, 2 the folder or an option can't be used,
   * 3 the run could not be recorded, 4 nothing matched, 130 and the like when interrupted. Never rejects because of
   * what a workstream did; what keeps the run from starting or ending is published as a `notice` event.
   */
  async run(): Promise<number> {
    if (this.#session !== null) throw new Error('This coordinator has run already; make another one.');
    const { database } = resolvePaths(this.#parsed.options);
    try {
      for (const { level, text } of importSpills(database)) this.#notice(level, text, null);
      const { options, paths, ...begun } = prepareRun(this.#parsed);
      const { redactor, prepared } = redactPrepared(begun.prepared, options, paths);
      this.#redactor = redactor;
      for (const problem of prepared.plan.problems) {
        if (problem.severity === 'warning')
          this.#notice('warn', formatProblem(problem), problem.workstreamId);
      }
      await this.#endRemaining(prepared, options.graceSeconds);
      const queue = await openQueue({ options, paths, prepared });
      const listeners = this.#listeners;
      this.#session = new RunSession({ options, paths, prepared, redactor, listeners, queue });
      // While processes of the killed run were waited for.
      if (this.#interruptedBy !== null) this.#session.interrupt(this.#interruptedBy);
      this.#result = await this.#session.run();
      for (const problem of [this.#result.recordProblem, this.#result.reportProblem]) {
        if (problem !== null) this.#notice('error', problem, null);
      }
      return this.#result.exitCode;
    } catch (thrown) {
      const error = asStoreError(thrown, database);
      this.#notice('error', messageOf(error), null);
      return error instanceof Refusal ? error.exitCode : 3;
    }
  }

  /** Starts nothing new, stops running workstreams, and lets `run` consolidate and report the results so far. */
  interrupt(by: string): void {
    this.#interruptedBy ??= by;
    this.#session?.interrupt(by);
  }

  /** After `interrupt`: ends running workstreams at once. Nothing that was recorded is lost. */
  async abandon(): Promise<void> {
    await this.#session?.abandon();
  }

  /** Ends what the killed process of the run started: it would work beside what is started now. */
  async #endRemaining({ resumed }: Prepared, graceSeconds: number): Promise<void> {
    const { runId, process = null } = resumed?.run ?? {};
    if (runId === undefined || process === null) return;
    const killed = { runId, process, name: 'the interrupted run' };
    const text = await endRemainingOf(killed, graceSeconds);
    if (text !== null) this.#notice('warn', text, null);
  }

  /** Sends all listeners a warning, without secrets, that is not part of the run's journal. */
  warn(text: string): void {
    this.#notice('warn', text, null);
  }

  #notice(level: 'info' | 'warn' | 'error', text: string, workstreamId: string | null): void {
    const event: RunEvent = { type: 'notice', level, text: this.#redactor.text(text), workstreamId };
    tell(this.#listeners, [event]);
  }
}

/** Expected errors have a message for a person; anything else is a bug, and its stack is shown. */
function messageOf(error: unknown): string {
  if (error instanceof Refusal || error instanceof StoreError) return error.message;
  return `Millrace itself failed, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
