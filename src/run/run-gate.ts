import { resolve } from 'node:path';
import type { RunEvent, RunWait } from '../domain/run-event.ts';
import {
  type Gate,
  type HeldLock,
  keepsFrom,
  type LockRequest,
  type LockTable,
  type TestHold,
} from '../domain/run-lock.ts';
import type { RunsWaitedFor } from '../domain/run-record.ts';
import type { Workstream } from '../domain/workstream.ts';
import { type StartTime, secondsSince, startTimer } from '../os/stopwatch.ts';
import { scopePrefixes } from '../plan/scope.ts';

export interface RunGateParts {
  workstreams: readonly Workstream[];
  locks: LockTable;
  /** The folder that relative scopes are relative to: absolute, without links, so that it is the same for all runs. */
  folder: string;
  publish: (event: RunEvent) => void;
  /** Ends the processes of a run whose own process is gone, and releases its locks. Never rejects. */
  freeLocksOf: (runId: string) => Promise<void>;
  /** How often locks of other runs are polled, in milliseconds. Default: 250. */
  pollMs?: number;
}

/** A lock of another run, and the first workstream that waits for it. */
interface Wait {
  workstreamId: string;
  lock: HeldLock;
}

/**
 * Admits workstreams beside those of other runs of the database. One without a conflict group, scopes or
 * `parallel_ok: false` takes no lock of its own: as long as this run executes something it holds the lock `busy`, which
 * keeps other runs from starting a workstream that runs alone.
 *
 * Locks of other runs that something waits for are polled by one timer, so that the number of those that wait costs
 * nothing.
 */
export class RunGate implements Gate {
  readonly #parts: RunGateParts;
  /** Workstreams that hold locks. */
  readonly #holding = new Set<number>();
  #isBusy = false;
  #waits: Wait[] = [];
  #clock: NodeJS.Timeout | null = null;
  #isClosed = false;
  #freed: () => void = () => undefined;
  /** Since when something has waited without a break; null where nothing waits. */
  #waitsSince: StartTime | null = null;
  #waitedSeconds = 0;
  readonly #waitedFor = new Set<string>();

  constructor(parts: RunGateParts) {
    this.#parts = parts;
  }

  /** Sets what is called when something was released that this run waits for. */
  onFree(listener: () => void): void {
    this.#freed = listener;
  }

  /** Whether something waits for another run. */
  get isWaiting(): boolean {
    return this.#waits.length > 0;
  }

  get isShut(): boolean {
    return this.#waits.some(({ lock }) => lock.kind === 'alone');
  }

  /** How long workstreams have waited for other runs until now; null for not at all. */
  get waited(): RunsWaitedFor | null {
    if (this.#waitedFor.size === 0) return null;
    const current = this.#waitsSince === null ? 0 : secondsSince(this.#waitsSince);
    return { seconds: this.#waitedSeconds + current, runIds: [...this.#waitedFor] };
  }

  admit(index: number): boolean {
    const workstream = this.#workstream(index);
    if (needsNothing(workstream)) return this.#beBusy(workstream.id);
    // The ready queue asks for a workstream that runs alone before what is running has ended, and then again.
    if (this.#holding.has(index)) return true;
    if (!this.#take(this.#requestOf(workstream))) return false;
    this.#holding.add(index);
    return true;
  }

  leave(index: number): void {
    if (this.#holding.delete(index)) this.#parts.locks.release(this.#workstream(index).id);
  }

  admitTests({ alone, conflictGroups }: TestHold): boolean {
    if (!alone && conflictGroups.length === 0) return this.#beBusy(TESTS);
    return this.#take({ workstreamId: TESTS, alone, conflictGroups, paths: [] });
  }

  leaveTests(): void {
    this.#parts.locks.release(TESTS);
  }

  #beBusy(workstreamId: string): boolean {
    if (!this.#isBusy) this.#isBusy = this.#isTaken(workstreamId, this.#parts.locks.takeBusy());
    return this.#isBusy;
  }

  #take(request: LockRequest): boolean {
    if (this.#waits.some(({ lock }) => keepsFrom(lock, request))) return false;
    if (!this.#isTaken(request.workstreamId, this.#parts.locks.take(request))) return false;
    if (!request.alone) this.#isBusy = true;
    return true;
  }

  /** Releases `busy` when the run executes nothing: then other runs may start what runs alone. */
  idle(): void {
    if (this.#isBusy) this.#parts.locks.releaseBusy();
    this.#isBusy = false;
  }

  /** Releases all locks, and waits for none any more. */
  close(): void {
    this.#isClosed = true;
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = null;
    for (const index of this.#holding) this.leave(index);
    this.idle();
  }

  #isTaken(workstreamId: string, lock: HeldLock | null): boolean {
    if (lock === null) return true;
    const added = { workstreamId, lock };
    const isFirst = !this.#waits.some((wait) => wait.lock.isLeft && wait.lock.runId === lock.runId);
    this.#publish([...this.#waits, added], added);
    if (!lock.isLeft) this.#clock ??= setTimeout(() => this.#poll(), this.#parts.pollMs ?? 250);
    else if (isFirst) void this.#freeLocksOf(lock.runId);
    return false;
  }

  async #freeLocksOf(runId: string): Promise<void> {
    await this.#parts.freeLocksOf(runId);
    if (!this.#isClosed) this.#keepWaits(({ lock }) => !lock.isLeft || lock.runId !== runId);
  }

  #poll(): void {
    this.#clock = null;
    const { locks, pollMs } = this.#parts;
    this.#keepWaits(({ lock }) => lock.isLeft || locks.isHeld(lock));
    if (this.#waits.some(({ lock }) => !lock.isLeft))
      this.#clock ??= setTimeout(() => this.#poll(), pollMs ?? 250);
  }

  /** Drops the other waits. */
  #keepWaits(isHeld: (wait: Wait) => boolean): void {
    const left = this.#waits.filter(isHeld);
    if (left.length === this.#waits.length) return;
    this.#publish(left, null);
    this.#freed();
  }

  #publish(waits: Wait[], added: Wait | null): void {
    this.#waits = waits;
    this.#measure(waits);
    this.#parts.publish({
      type: 'waiting-for-runs',
      waits: waits.map(noteOf),
      added: added === null ? null : noteOf(added),
    });
  }

  #measure(waits: readonly Wait[]): void {
    for (const { lock } of waits) this.#waitedFor.add(lock.runId);
    if (waits.length > 0) this.#waitsSince ??= startTimer();
    else if (this.#waitsSince !== null) {
      this.#waitedSeconds += secondsSince(this.#waitsSince);
      this.#waitsSince = null;
    }
  }

  #requestOf({ id, parallelOk, conflictGroup, scopes }: Workstream): LockRequest {
    const paths = scopePrefixes(scopes).map((prefix) => resolve(this.#parts.folder, prefix));
    const conflictGroups = conflictGroup === null ? [] : [conflictGroup];
    return { workstreamId: id, alone: !parallelOk, conflictGroups, paths };
  }

  #workstream(index: number): Workstream {
    const workstream = this.#parts.workstreams[index];
    if (workstream === undefined) throw new RangeError(`there is no workstream ${index}`);
    return workstream;
  }
}

/** Whose locks those of the tests of merged work are: no workstream's id has a `_`. */
const TESTS = '_merged';

const needsNothing = ({ parallelOk, conflictGroup, scopes }: Workstream): boolean =>
  parallelOk && conflictGroup === null && scopes.length === 0;

const noteOf = (wait: Wait): RunWait => ({
  workstreamId: wait.workstreamId,
  runId: wait.lock.runId,
  explanation: explain(wait),
});

function explain({ workstreamId, lock }: Wait): string {
  const { kind, name, runId, isLeft } = lock;
  const id = nameOf(workstreamId);
  const other = nameOf(lock.workstreamId);
  if (isLeft) return `${id} waits until what ${runId} left, whose process was killed, has ended`;
  switch (kind) {
    case 'busy':
      return `${id} is to run alone (parallel_ok: false) and waits until ${runId} executes nothing`;
    case 'alone':
      return `nothing is started while ${other} of ${runId} runs alone (parallel_ok: false)`;
    case 'group':
      return `${id} waits for ${other} of ${runId}: both are in the conflict_group "${name}"`;
    case 'scope':
      return `${id} waits for ${other} of ${runId}, which owns ${name} (files_scope)`;
  }
}

const nameOf = (workstreamId: string): string =>
  workstreamId === TESTS ? 'the test of merged work' : workstreamId;
