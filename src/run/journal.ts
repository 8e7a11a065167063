/** The order in which an event is redacted, recorded, committed, synced to the disk, and then passed to listeners. */
import type { AgentResult } from '../domain/agent-result.ts';
import type { Recorder } from '../domain/recorder.ts';
import type { EventOf, EventSink, RunEvent, RunListener } from '../domain/run-event.ts';
import type { Redactor } from '../secrets/redactor.ts';
import { tell } from './listeners.ts';

const MAX_BATCH = 2_000;

/** How long an event may wait for its commit, in milliseconds. */
const DELAY_MS = { durable: 20, transient: 1_000 } as const;

/**
 * Records every event of a run. Events are committed in short batches (20 ms or 2,000 events at most), because a
 * transaction costs far more than a row; the disk is waited for off the main thread, and listeners get an event only
 * once it is there.
 *
 * Progress and log lines are transient: nothing depends on them, so listeners get them at once, unless that would put
 * them before an event that waits, and they are no reason to commit more than once a second.
 */
export class Journal {
  readonly #recorder: Recorder;
  readonly #listeners: readonly (RunListener | EventSink)[];
  readonly #redactor: Redactor;
  readonly #failure: AbortController;
  /** Recorded and not committed. */
  #pending: RunEvent[] = [];
  /** Committed and perhaps not on the disk yet. */
  #committed: RunEvent[] = [];
  #syncing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #due = Number.POSITIVE_INFINITY;
  #fault: unknown = null;
  #isClosed = false;

  /** @param failure aborted with the error when events can't be kept; later commits are tried again. */
  constructor(parts: {
    recorder: Recorder;
    listeners: readonly (RunListener | EventSink)[];
    redactor: Redactor;
    failure: AbortController;
  }) {
    this.#recorder = parts.recorder;
    this.#listeners = parts.listeners;
    this.#redactor = parts.redactor;
    this.#failure = parts.failure;
  }

  /** Records an event, and passes it to listeners once it is on the disk. Events after `close` are dropped. */
  publish(event: RunEvent): void {
    this.publishAll([event]);
  }

  /** As `publish`, all of them together. */
  publishAll(raw: readonly RunEvent[]): void {
    if (this.#isClosed || raw.length === 0) return;
    const events = this.#redactor.isIdle ? raw : raw.map((event) => redactEvent(event, this.#redactor));
    this.#recorder.take(events);
    const areTransient = events.every(isTransient);
    if (areTransient && this.#isIdle) tell(this.#listeners, events);
    else for (const event of events) this.#pending.push(event);
    if (this.#pending.length >= MAX_BATCH) this.#commitByClock();
    else this.#commitWithin(areTransient ? DELAY_MS.transient : DELAY_MS.durable);
  }

  /**
   * Commits now, so that other connections can read it. Throws what the recorder throws; nothing is lost by that.
   */
  commit(): void {
    this.#stopClock();
    this.#recorder.commit();
    this.#committed = this.#committed.length === 0 ? this.#pending : this.#committed.concat(this.#pending);
    this.#pending = [];
    this.#sync();
  }

  /** Commits, and resolves when listeners have got everything. Rejects when that can't be recorded; nothing is lost. */
  async flush(): Promise<void> {
    this.commit();
    while (this.#syncing !== null) await this.#syncing;
    if (this.#committed.length > 0) throw this.#fault;
  }

  /** Tries once more to record what waits, and drops events after that. Returns the error that prevents it, or null. */
  async close(): Promise<Error | null> {
    try {
      await this.flush();
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#isClosed = true;
      this.#stopClock();
    }
  }

  get #isIdle(): boolean {
    return this.#pending.length === 0 && this.#committed.length === 0 && this.#syncing === null;
  }

  #sync(): void {
    if (this.#syncing === null && this.#committed.length > 0) this.#syncing = this.#syncAll();
  }

  /** One at a time: what is committed meanwhile goes with the next. */
  async #syncAll(): Promise<void> {
    while (this.#committed.length > 0) {
      const events = this.#committed;
      this.#committed = [];
      try {
        await this.#recorder.sync();
      } catch (error) {
        this.#committed = events.concat(this.#committed);
        this.#break(error);
        break;
      }
      tell(this.#listeners, events);
    }
    this.#syncing = null;
  }

  #commitWithin(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (due >= this.#due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#commitByClock(), milliseconds);
  }

  #stopClock(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due = Number.POSITIVE_INFINITY;
  }

  #commitByClock(): void {
    try {
      this.commit();
    } catch (error) {
      this.#break(error);
    }
  }

  #break(error: unknown): void {
    this.#fault = error;
    this.#failure.abort(error);
  }
}

const isTransient = ({ type }: RunEvent): boolean =>
  type === 'workstream-progress' || type === 'workstream-log';

/**
 * An event without secrets; the same object where it holds none. The workstreams of `run-started` are left as agents get
 * them; the texts of theirs that are stored were redacted when they were loaded.
 */
function redactEvent(event: RunEvent, redactor: Redactor): RunEvent {
  if (event.type === 'run-started') return event;
  if (event.type === 'workstream-log') return { ...event, line: redactor.json(event.line) };
  if (event.type === 'candidate-ended') return redactCandidate(event, redactor);
  if (event.type !== 'workstream-finished') return redactor.fields(event);
  const result = redactResult(event.result, redactor);
  return result === event.result ? event : { ...event, result };
}

/** Its output is JSON text, and stays that. */
function redactCandidate(event: EventOf<'candidate-ended'>, redactor: Redactor): RunEvent {
  const { candidate } = event;
  const { output } = candidate.outcome;
  const { outcome, ...rest } = redactor.fields(candidate);
  const clean = { ...outcome, output: output === null ? null : redactor.json(output) };
  return { ...event, candidate: { ...rest, outcome: clean } };
}

/** A result without secrets; the same object where it holds none. */
export function redactResult(given: AgentResult, redactor: Redactor): AgentResult {
  const { output, definition } = given.metadata;
  const data = redactor.data({ output, definition });
  const result = redactor.fields(given);
  if (result === given && data.output === output && data.definition === definition) return given;
  return { ...result, metadata: { ...result.metadata, ...data } };
}
