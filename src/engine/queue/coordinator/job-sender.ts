/** Puts jobs into their queues: what travels for an assignment, sealed, and tried until it is there. */
import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Assignment } from '../../../domain/assignment.ts';
import { messageOf } from '../../../text/error-message.ts';
import { BATCH_BYTES, BODY_BYTES, type Bodies, OWNERS } from '../bodies.ts';
import {
  type JobData,
  jobId,
  PROTOCOL,
  type RemoteAssignment,
  RUN_TTL_SECONDS,
  SEALED_FOR,
} from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';
import { type HeldJob, logNameOf } from './job-execution.ts';
import type { LeaseStore } from './lease-store.ts';
import type { RunSource } from './source.ts';

const AGAIN_MS = 1_000;

export interface JobSenderParts {
  key: QueueKey;
  nonce: string;
  leases: LeaseStore;
  bodies: Bodies;
  source: RunSource;
  setup: string | null;
  redact: RemoteAssignment['redact'];
  logLevel: string;
  /** Of Redis, in milliseconds since 1970. */
  now: () => Promise<number>;
  /** Told to a person. */
  notify: (text: string, workstreamId: string | null) => void;
  /** Aborted when the engine is closed: nothing is tried any more. */
  closing: AbortSignal;
  /** Whether an assignment may be what has killed the host of its batch. */
  hasLostHost: (assignment: Assignment) => boolean;
}

export class JobSender {
  readonly #parts: JobSenderParts;

  constructor(parts: JobSenderParts) {
    this.#parts = parts;
  }

  /** The same for what has the same outcome, whichever session of the run asks for it. */
  jobOf(assignment: Assignment): string {
    const { nonce, source, setup } = this.#parts;
    const { workstream, attempt, workspace, dependencies, limits, tools, gates, shell } = assignment;
    const meant = { workstream, attempt, workspace, dependencies, limits, tools, gates, shell };
    const digest = hash('sha256', JSON.stringify([meant, source.source, setup]));
    return jobId(nonce, logNameOf(assignment), digest);
  }

  /**
   * Tries until the job is in its queue: Redis may be full, or away. Resolves with whether it is; what is cancelled
   * before that is settled as interrupted.
   */
  async send(execution: HeldJob): Promise<boolean> {
    const { closing, notify } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      if (execution.isOver || execution.isCancelled) {
        execution.settleInterrupted();
        return false;
      }
      try {
        await this.#sendOnce(execution);
        return true;
      } catch (error) {
        if (closing.aborted) return false;
        if (attempt === 1)
          notify(
            `${execution.workstreamId} could not be put into the queue and is tried again: ${messageOf(error)}.`,
            execution.workstreamId,
          );
        await pause(AGAIN_MS);
      }
    }
  }

  async #sendOnce(execution: HeldJob): Promise<void> {
    const { key, bodies, leases } = this.#parts;
    const { place, assignments, isStrict: strict } = execution;
    const { job } = place;
    const remote = await this.#remoteAssignment(execution);
    const text = Buffer.from(JSON.stringify(remote));
    const data: JobData = {};
    if (text.length < BODY_BYTES || (assignments.length > 1 && text.length < BATCH_BYTES))
      data.sealed = key.seal(SEALED_FOR.assignment(job), text).toString('base64');
    else {
      execution.body = await bodies.store(OWNERS.assignment(job), [text]);
      data.body = [...execution.body];
    }
    execution.wasAdded = true;
    const members = assignments.length === 1 ? {} : { members: assignments.map((each) => this.jobOf(each)) };
    await leases.add(place, data, { queue: place.queue, strict, ...members });
    execution.isInQueue = true;
    execution.missingSince = null;
  }

  async #remoteAssignment({ place, assignments, isStrict: strictLease }: HeldJob): Promise<RemoteAssignment> {
    const { nonce, source, setup, redact, logLevel, now, hasLostHost } = this.#parts;
    // Their files are prepared once for all that need them, by each host.
    const [assignment, ...others] = assignments.map((each): Assignment => ({ ...each, setup: null }));
    if (assignment === undefined) throw new RangeError('a job has at least one assignment');
    return {
      protocol: PROTOCOL,
      job: place.job,
      nonce,
      assignment,
      ...(others.length === 0 ? {} : { others }),
      ...(hasLostHost(assignment) ? { lost: 1 } : {}),
      source: source.source,
      setup,
      strictLease,
      redact,
      logLevel,
      expiresAt: (await now()) + RUN_TTL_SECONDS * 1000,
    };
  }
}
