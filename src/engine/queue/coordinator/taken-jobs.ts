/**
 * Jobs whose outcome the run has. Each stays in Redis until the result of its workstream is on the disk, so that a
 * coordinator that dies in between finds it again.
 */
import type { Assignment } from '../../../domain/assignment.ts';
import { type Bodies, OWNERS } from '../bodies.ts';
import type { Receipt } from '../protocol.ts';
import type { HeldJob } from './job-execution.ts';
import type { JobPlace, LeaseStore } from './lease-store.ts';
import type { ReceiptReader } from './receipt-reader.ts';

export interface TakenJobsParts {
  leases: LeaseStore;
  bodies: Bodies;
  receipts: ReceiptReader;
}

interface TakenJob extends JobPlace {
  receipt: Receipt | null;
  body: readonly string[];
  /** Of how many workstreams the result is not on the disk. */
  awaited: number;
}

export class TakenJobs {
  readonly #parts: TakenJobsParts;
  /** By the id of their workstream. */
  readonly #taken = new Map<string, TakenJob[]>();
  /** Removals that are under way, by job id. */
  readonly #removals = new Map<string, Promise<void>>();

  constructor(parts: TakenJobsParts) {
    this.#parts = parts;
  }

  /** @param ended of its assignments, those that have an outcome. */
  remember({ place, receipt, body, wasAdded }: HeldJob, ended: readonly Assignment[]): void {
    if (!wasAdded) return;
    const taken = { ...place, receipt, body, awaited: ended.length };
    if (ended.length === 0) this.#removeSoon(taken);
    for (const { workstream } of ended) {
      const jobs = this.#taken.get(workstream.id) ?? [];
      jobs.push(taken);
      this.#taken.set(workstream.id, jobs);
    }
  }

  /** The result of a workstream is on the disk. */
  acknowledge(workstreamId: string): void {
    const jobs = this.#taken.get(workstreamId) ?? [];
    this.#taken.delete(workstreamId);
    for (const taken of jobs) {
      taken.awaited -= 1;
      if (taken.awaited <= 0) this.#removeSoon(taken);
    }
  }

  /** Removes a job with what was sent and answered for it; not where a host has it. */
  async remove({
    place: { job, queue },
    receipt,
    body,
  }: Pick<HeldJob, 'place' | 'receipt' | 'body'>): Promise<void> {
    const { leases, bodies, receipts } = this.#parts;
    const isGone = await leases.remove({ job, queue });
    if (!isGone) return;
    if (receipt !== null) await receipts.forget(receipt);
    if (body.length > 0) await bodies.remove(OWNERS.assignment(job), body);
  }

  /** The same work was done in this session already, and is wanted once more. */
  async removeEarlier({ place, assignment }: { place: JobPlace; assignment: Assignment }): Promise<void> {
    const jobs = this.#taken.get(assignment.workstream.id)?.filter(({ job }) => job === place.job) ?? [];
    for (const taken of jobs) await this.remove({ ...taken, place: taken });
  }

  /** Resolves when no removal of this job is under way. */
  async removed(job: string): Promise<void> {
    await this.#removals.get(job);
  }

  /** Resolves when no removal is under way. */
  async allRemoved(): Promise<void> {
    await Promise.all(this.#removals.values());
  }

  #removeSoon(taken: TakenJob): void {
    const removal = this.remove({ ...taken, place: taken })
      // Redis is away for good, or the engine is closed: the job's time to live remains.
      .catch(() => undefined)
      .finally(() => this.#removals.delete(taken.job));
    this.#removals.set(taken.job, removal);
  }
}
