/**
 * What earlier sessions of a run left in Redis: jobs that hosts may be executing now, or have answered, and for which
 * nobody in this session has asked yet. Nothing that may not run beside one of them is added before it has ended.
 */
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Assignment } from '../../../domain/assignment.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import type { RemoteMessage } from '../protocol.ts';
import { type Began, isStrict, type JobExecution, logNameOf, wasStopped } from './job-execution.ts';
import type { JobNote, JobPlace, LeaseStore } from './lease-store.ts';
import { notTaken, type ReceiptReader } from './receipt-reader.ts';

const LOOK_AGAIN_MS = 200;
/** After how many looks a host is told once more to stop. */
const LOOKS_TO_TELL = 10;

export interface EarlierJobsParts {
  nonce: string;
  leases: LeaseStore;
  receipts: ReceiptReader;
  /** Aborted when the engine is closed: nothing is waited for any more. */
  closing: AbortSignal;
  /** Whether this session has asked for a job. */
  isExecuted: (job: string) => boolean;
}

export class EarlierJobs {
  readonly #parts: EarlierJobsParts;
  /** By job id. */
  readonly #left = new Map<string, JobNote>();
  /** What batches have brought, by job id. */
  readonly #batches = new Map<string, Promise<Map<string, Outcome>>>();
  /** The last `began` of each. */
  readonly #begun = new Map<string, Began>();

  constructor(parts: EarlierJobsParts) {
    this.#parts = parts;
  }

  /** Before the first execution. */
  async read(): Promise<void> {
    for (const [job, note] of await this.#parts.leases.notes()) this.#left.set(job, note);
  }

  /** A job is asked for now. Returns whether an earlier session added it, and its last `began`. */
  take(job: string): { wasLeft: boolean; begun: Began | null } {
    const begun = this.#begun.get(job) ?? null;
    this.#begun.delete(job);
    return { wasLeft: this.#left.delete(job), begun };
  }

  /** Keeps what a job says that may be asked for later. */
  receive(message: RemoteMessage): void {
    if (message.type !== 'began' || !this.#left.has(message.job)) return;
    const known = this.#begun.get(message.job);
    if (known === undefined || known.lease <= message.lease) this.#begun.set(message.job, message);
  }

  /** Whether one of the jobs concerns an assignment: what it does is looked up one by one. */
  concern(assignment: Assignment): boolean {
    if (this.#left.size === 0) return false;
    const ofIt = this.#prefixOf(logNameOf(assignment));
    const strict = isStrict(assignment);
    return [...this.#left].some(
      ([job, note]) =>
        strict || note.strict || job.startsWith(ofIt) || note.members?.some((id) => id.startsWith(ofIt)),
    );
  }

  /**
   * Jobs may be executed now that nobody has asked for yet. What may not run beside one of them has to wait until that
   * has ended; so that it does, it is stopped, and done again when its turn comes.
   */
  async yieldTo(execution: JobExecution): Promise<void> {
    const strict = isStrict(execution.assignment);
    const ofIt = this.#prefixOf(execution.logName);
    for (const [job, note] of this.#left) {
      const isSuperseded = job.startsWith(ofIt);
      if (!isSuperseded && !strict && !note.strict) continue;
      if (isSuperseded) this.#left.delete(job);
      const place = { job, queue: note.queue };
      await this.#ended(place);
      if (isSuperseded) await this.#parts.leases.remove(place);
    }
  }

  /** What a batch has brought for an execution, as soon as no host has that; null for nothing. */
  async fromBatch({ place, assignment, logName }: JobExecution): Promise<Outcome | null> {
    const ofIt = this.#prefixOf(logName);
    for (const [job, { queue, members = [] }] of this.#left) {
      if (!members.some((member) => member.startsWith(ofIt))) continue;
      const brought = this.#batches.get(job) ?? this.#endBatch({ job, queue }, members, assignment);
      this.#batches.set(job, brought);
      const outcome = (await brought).get(place.job);
      if (outcome !== undefined) return outcome;
    }
    return null;
  }

  /** Stops what nobody has asked for. @param isComplete whether the run is: then their results were stored before. */
  async end(isComplete: boolean): Promise<void> {
    const { leases } = this.#parts;
    for (const [job, { queue }] of this.#left) {
      const isFree = await leases.stop({ job, queue }, 'interrupted');
      if (isFree && isComplete) await leases.remove({ job, queue });
    }
  }

  /** Of the ids of all jobs that were ever added for an execution. */
  #prefixOf(logName: string): string {
    return `${this.#parts.nonce}.${logName}.`;
  }

  /** The outcomes of a batch, by the ids that its members have as jobs. Nothing is stopped: its members are tiny. */
  async #endBatch(
    place: JobPlace,
    members: readonly string[],
    { logFile }: Assignment,
  ): Promise<Map<string, Outcome>> {
    const { leases, closing } = this.#parts;
    while (!closing.aborted) {
      const state = await leases.state(place);
      if (state.state === 'completed') return this.#outcomesOf(place, state.returned, members, logFile);
      if (state.state === 'missing' || state.state === 'failed') break;
      if (state.state === 'waiting' && (await leases.remove(place))) break;
      await pause(LOOK_AGAIN_MS);
    }
    return new Map();
  }

  async #outcomesOf(
    { job }: JobPlace,
    returned: string,
    members: readonly string[],
    logFile: string,
  ): Promise<Map<string, Outcome>> {
    const { nonce, receipts } = this.#parts;
    const from = nonce.length + 1;
    const logs = members.map((member) => ({
      logFile: join(dirname(logFile), `${member.slice(from, member.lastIndexOf('.'))}.log`),
    }));
    try {
      const outcomes = await receipts.outcomes(receipts.open(job, returned), logs);
      return new Map(
        members.flatMap((member, position) => {
          const outcome = outcomes[position] ?? null;
          return outcome === null || wasStopped(outcome) ? [] : [[member, outcome] as const];
        }),
      );
    } catch (error) {
      // It can't be taken: its members are executed as if it had brought nothing.
      if (notTaken(error).reason === 'remote-refused') return new Map();
      throw error;
    }
  }

  /** Stops a job. Resolves when no host has it any more. */
  async #ended(place: JobPlace): Promise<void> {
    const { leases, closing, isExecuted } = this.#parts;
    for (let look = 0; !closing.aborted; look += 1) {
      if (isExecuted(place.job)) return;
      const { state } = await leases.state(place);
      if (state !== 'waiting' && state !== 'active') return;
      if (look % LOOKS_TO_TELL === 0 && (await leases.stop(place, 'interrupted'))) return;
      await pause(LOOK_AGAIN_MS);
    }
  }
}
