/** How much of a run is given out at once, by what the hosts can execute. */
import type { Quotas } from '../../../domain/policy/quota.ts';
import type { Workstream } from '../../../domain/workstream.ts';
import { queueName } from '../protocol.ts';
import type { HostWatch } from './host-watch.ts';

/** How many workstreams of one set of labels are in hand for each slot that serves it, at most. */
const MOST_PER_SLOT = 2;

/** A job in hand. */
export interface JobInHand {
  place: { queue: string };
  /** The host that has begun it; null for none that is known. */
  host: string | null;
}

export class HostCapacity {
  readonly #hosts: HostWatch;
  readonly #inHand: () => Iterable<JobInHand>;

  constructor(hosts: HostWatch, inHand: () => Iterable<JobInHand>) {
    this.#hosts = hosts;
    this.#inHand = inHand;
  }

  /** How many agents the hosts can keep busy: one for each slot, beside those whose workstream takes none of these. */
  get agents(): number {
    return this.#hosts.slots + this.#elsewhere().length;
  }

  /**
   * A quota for each set of labels: as many agents as the hosts that serve it have slots, so that what others can execute
   * goes on beside it. Where the run has more agents than there are slots it is as many times more, and at most twice:
   * each slot finds its next workstream in Redis then. What a host has in hand that is lost, or takes nothing more, is
   * not counted. What is not waited for any more has no quota, so that it fails.
   * @param agents returns how many the run has now.
   */
  quotas(workstreams: readonly Workstream[], agents: () => number): Quotas {
    const sets = labelSets(workstreams);
    const kinds = new Map(sets.map((requires, kind) => [queueName(requires), kind]));
    return {
      kinds: sets.length,
      kindOf: Int32Array.from(workstreams, ({ requires }) => kinds.get(queueName(requires)) ?? 0),
      quotaOf: (kind) => this.#quotaOf(sets[kind] ?? [], agents()),
    };
  }

  #quotaOf(requires: readonly string[], agents: number): number {
    if (this.#hosts.hasGivenUp(requires)) return Number.POSITIVE_INFINITY;
    const queue = queueName(requires);
    const elsewhere = this.#elsewhere();
    const each = (agents - elsewhere.length) / Math.max(1, this.#hosts.slots);
    const perSlot = Math.min(MOST_PER_SLOT, Math.max(1, each));
    const uncounted = elsewhere.filter(({ place }) => place.queue === queue).length;
    return Math.floor(perSlot * this.#hosts.slotsServing(queue)) + uncounted;
  }

  /** What hosts have begun that are lost, which shows when its lease has ended, or that take nothing more. */
  #elsewhere(): JobInHand[] {
    return [...this.#inHand()].filter(({ host }) => host !== null && !this.#hosts.takesWork(host));
  }
}

/** Each set of labels that workstreams require, once. */
export function labelSets(workstreams: readonly Workstream[]): string[][] {
  const sets = new Map(workstreams.map(({ requires }) => [queueName(requires), requires]));
  return [...sets.values()];
}
