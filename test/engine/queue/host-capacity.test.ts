/** How many workstreams of each set of labels a run gives out, as hosts come and go. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Quotas } from '../../../src/domain/policy/quota.ts';
import type { Workstream } from '../../../src/domain/workstream.ts';
import {
  HostCapacity,
  type JobInHand,
  labelSets,
} from '../../../src/engine/queue/coordinator/host-capacity.ts';
import { HostWatch } from '../../../src/engine/queue/coordinator/host-watch.ts';
import { type HostState, queueName, serves } from '../../../src/engine/queue/protocol.ts';
import { ReadyQueue } from '../../../src/plan/ready-queue.ts';
import { Dispatcher } from '../../../src/run/dispatcher.ts';
import { hostState } from '../../kit/host-state.ts';
import { makeWorkstreams, type Sketch } from '../../kit/make-workstream.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MOST_AGENTS = 40;

/** Longer than the time between two looks at who is there. */
const A_LOOK = 2_001;

const host = (
  name: string,
  slots: number,
  provides: string[] = [],
  more: Partial<HostState> = {},
): HostState => hostState({ host: name, slots, provides, ...more });

interface Watched {
  watch: HostWatch;
  capacity: HostCapacity;
  quotas: Quotas;
  /** The hosts that are found from now on. */
  become: (...hosts: HostState[]) => Promise<void>;
}

interface Options {
  /** Null for as many as the hosts can keep busy. */
  agents?: number | null;
  waitSeconds?: number;
  inHand?: () => Iterable<JobInHand>;
}

async function watched(
  workstreams: readonly Workstream[],
  hosts: readonly HostState[],
  { agents = null, waitSeconds = 1e6, inHand = () => [] }: Options = {},
): Promise<Watched> {
  let there = [...hosts];
  const watch = new HostWatch({
    read: async () => ({ hosts: there, strangers: [], others: [] }),
    needed: labelSets(workstreams),
    waitSeconds,
    notify: () => undefined,
  });
  await watch.start();
  const capacity = new HostCapacity(watch, inHand);
  return {
    watch,
    capacity,
    quotas: capacity.quotas(workstreams, () => agents ?? capacity.agents),
    become: async (...others) => {
      there = others;
      await vi.advanceTimersByTimeAsync(A_LOOK);
    },
  };
}

const LABELS = [[], ['gpu'], ['claude'], ['claude', 'gpu']];
const oneOfEach = makeWorkstreams(LABELS.map((requires, index) => ({ id: `ws-${index}`, requires })));

describe('the quota of a set of labels', () => {
  async function quotasOver(hosts: HostState[], options: Options = {}): Promise<number[]> {
    const { watch, quotas } = await watched(oneOfEach, hosts, options);
    onTestFinished(() => watch.close());
    return LABELS.map((_, kind) => quotas.quotaOf(kind));
  }

  test('is the slots of the hosts that provide all of it', async () => {
    const hosts = [host('a', 1), host('b', 2, ['gpu']), host('c', 4, ['gpu', 'claude', 'more'])];
    expect(await quotasOver(hosts)).toEqual([7, 6, 4, 4]);
  });

  test('is more where the run has more agents than there are slots, and at most twice', async () => {
    const hosts = [host('a', 6), host('b', 2, ['gpu'])];
    expect(await quotasOver(hosts, { agents: 12 })).toEqual([12, 3, 0, 0]);
    expect(await quotasOver(hosts, { agents: 64 })).toEqual([16, 4, 0, 0]);
    expect(await quotasOver(hosts, { agents: 2 })).toEqual([8, 2, 0, 0]);
  });

  test('does not count a host that takes nothing more', async () => {
    expect(await quotasOver([host('a', 6), host('b', 2, ['gpu'], { draining: true })])).toEqual([6, 0, 0, 0]);
  });

  test('does not count what a host has in hand that is lost or takes nothing more', async () => {
    const hosts = [host('a', 4), host('b', 1, ['gpu']), host('c', 1, ['gpu'], { draining: true })];
    const inHand = ['a', 'b', 'c', 'lost', null].map((name) => ({
      host: name,
      place: { queue: queueName(['gpu']) },
    }));
    expect(await quotasOver(hosts, { inHand: () => inHand })).toEqual([5, 3, 0, 0]);
    expect(await quotasOver(hosts, { inHand: () => inHand, agents: 12 })).toEqual([10, 4, 0, 0]);
  });

  test('follows hosts that join, leave, and have other slots or labels', async () => {
    const { watch, quotas, become } = await watched(oneOfEach, []);
    onTestFinished(() => watch.close());
    const after = async (...hosts: HostState[]): Promise<number[]> => {
      const looked = new Promise<void>((resolve) => watch.onLook(resolve));
      await become(...hosts);
      await looked;
      return LABELS.map((_, kind) => quotas.quotaOf(kind));
    };
    expect(await after(host('a', 2))).toEqual([2, 0, 0, 0]);
    expect(await after(host('a', 2), host('b', 1, ['gpu']))).toEqual([3, 1, 0, 0]);
    expect(await after(host('a', 2), host('b', 3, ['gpu']))).toEqual([5, 3, 0, 0]);
    expect(await after(host('a', 2), host('b', 3, ['claude']))).toEqual([5, 0, 3, 0]);
    expect(await after(host('b', 3, ['claude']))).toEqual([3, 0, 3, 0]);
  });

  test('is none once no host is waited for any more, so that what needs one fails', async () => {
    const { watch, quotas } = await watched(oneOfEach, [host('a', 2)], { waitSeconds: 0 });
    onTestFinished(() => watch.close());
    expect([quotas.quotaOf(0), quotas.quotaOf(1)]).toEqual([2, Number.POSITIVE_INFINITY]);
  });

  test('is 0 again after its last host has left, however long that takes', async () => {
    const { watch, quotas, become } = await watched(oneOfEach, [host('a', 2, ['gpu'])], { waitSeconds: 1 });
    onTestFinished(() => watch.close());
    await become();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(quotas.quotaOf(1)).toBe(0);
  });
});

interface Job extends JobInHand {
  index: number;
  agent: number;
}

/** Hosts that fetch from the queues that they serve, as `millrace worker` does, and a run that gives out. */
class Simulation {
  readonly hosts = new Map<string, HostState>();
  /** In hand. */
  readonly jobs: Job[];
  readonly #ready: ReadyQueue;
  readonly #dispatcher: Dispatcher;
  readonly #workstreams: readonly Workstream[];
  #ended = 0;

  constructor(workstreams: readonly Workstream[], quotas: Quotas, jobs: Job[]) {
    this.#workstreams = workstreams;
    this.jobs = jobs;
    this.#ready = new ReadyQueue(workstreams, {
      agents: MOST_AGENTS,
      distribution: 'dynamic',
      tracks: null,
      quotas,
    });
    this.#dispatcher = new Dispatcher({
      ready: this.#ready,
      agents: 1,
      eligibility: () => ({ verdict: 'take', refusal: null }),
      mayBatch: null,
    });
    for (const index of workstreams.keys()) this.#ready.add(index);
  }

  /** As at each look at the hosts. */
  readQuotas(agents: number): void {
    this.#dispatcher.resize(agents);
    this.#ready.readQuotas();
  }

  get haveAllEnded(): boolean {
    return this.#ended === this.#workstreams.length;
  }

  /** Ends one that is executed. */
  end(n: number): void {
    const executed = this.jobs.filter(({ host: by }) => this.hosts.has(by ?? ''));
    const job = executed[n % Math.max(1, executed.length)];
    if (job === undefined) return;
    this.jobs.splice(this.jobs.indexOf(job), 1);
    this.#dispatcher.release(job.agent, job.index);
    this.#ended += 1;
  }

  /** The leases of what lost hosts have in hand end. */
  endLeases(): void {
    for (const job of this.jobs) if (!this.hosts.has(job.host ?? '')) job.host = null;
  }

  /** Gives out and fetches until nothing changes. */
  settle(): void {
    let before = -1;
    while (before !== this.jobs.length) {
      before = this.jobs.length;
      for (const start of this.#dispatcher.dispatch()) {
        if (start.type === 'batch') throw new Error('nothing is in a batch here');
        const { agent, index } = start;
        this.jobs.push({ index, agent, host: null, place: { queue: this.#queueOf(index) } });
      }
      for (const each of this.hosts.values()) this.#fetch(each);
    }
  }

  /** What is ready while an agent is free and a host that could execute it has nothing to do. */
  starved(): number[] {
    const agent = this.#dispatcher.reserve();
    if (agent === undefined) return [];
    this.#dispatcher.free(agent);
    const held = new Set(this.jobs.map(({ index }) => this.#workstreams[index]?.conflictGroup));
    const idle = [...this.hosts.values()].filter((each) => this.#freeSlots(each) > 0);
    return [...this.#workstreams.keys()].filter((index) => {
      const group = this.#workstreams[index]?.conflictGroup ?? null;
      const mayRun = this.#ready.has(index) && (group === null || !held.has(group));
      return mayRun && idle.some(({ provides }) => serves(provides, this.#queueOf(index)));
    });
  }

  #fetch(by: HostState): void {
    for (const job of this.jobs) {
      if (this.#freeSlots(by) <= 0) return;
      if (job.host === null && serves(by.provides, job.place.queue)) job.host = by.host;
    }
  }

  #freeSlots({ host: name, slots, draining }: HostState): number {
    return draining ? 0 : slots - this.jobs.filter((job) => job.host === name).length;
  }

  #queueOf(index: number): string {
    return queueName(this.#workstreams[index]?.requires ?? []);
  }
}

const sketches = fc.array(
  fc.record({
    requires: fc.constantFrom(...LABELS),
    conflictGroup: fc.option(fc.constantFrom('g', 'h'), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
);
const fleet = fc.array(
  fc.record({ slots: fc.integer({ min: 1, max: 3 }), provides: fc.constantFrom(...LABELS) }),
  {
    minLength: 1,
    maxLength: 5,
  },
);
const events = fc.array(
  fc.tuple(
    fc.constantFrom('end', 'end', 'end', 'end', 'join', 'join', 'drain', 'lose', 'leases' as const),
    fc.nat(),
  ),
  { maxLength: 60, size: 'max' },
);

/** A host that was lost comes back under another name, as one that is started again does. */
function happen(run: Simulation, hosts: HostState[], [event, n]: [string, number], moment: number): void {
  const names = [...run.hosts.keys()];
  const name = names[n % Math.max(1, names.length)] ?? '';
  const there = run.hosts.get(name);
  const model = hosts[n % hosts.length];
  if (event === 'end') run.end(n);
  else if (event === 'leases') run.endLeases();
  else if (event === 'join' && model !== undefined && names.length < hosts.length)
    run.hosts.set(`host-${moment}`, { ...model, host: `host-${moment}` });
  else if (event === 'lose') run.hosts.delete(name);
  else if (event === 'drain' && there !== undefined) run.hosts.set(name, { ...there, draining: true });
}

test.each([
  { agents: 'given', given: true },
  { agents: 'that follow the hosts', given: false },
])(
  'no host is idle beside what it could execute while an agent is free, with agents $agents',
  async ({ given }) => {
    await fc.assert(
      fc.asyncProperty(
        sketches,
        fleet,
        fc.integer({ min: 1, max: 12 }),
        events,
        async (parts, kinds, count, happening) => {
          const hosts = kinds.map(({ slots, provides }, n) => host(`host-${n}`, slots, provides));
          const workstreams = makeWorkstreams(
            parts.map((part, index): Sketch => ({ id: `ws-${index}`, ...part })),
          );
          const jobs: Job[] = [];
          const { watch, capacity, quotas, become } = await watched(workstreams, [], {
            agents: given ? count : null,
            inHand: () => jobs,
          });
          const run = new Simulation(workstreams, quotas, jobs);
          const look = async (): Promise<void> => {
            await become(...run.hosts.values());
            run.readQuotas(given ? count : Math.max(1, capacity.agents));
            run.settle();
          };
          for (const [moment, event] of happening.entries()) {
            happen(run, hosts, event, moment);
            await look();
            expect(run.starved()).toEqual([]);
          }
          run.hosts.clear();
          run.endLeases();
          run.hosts.set('last', host('last', 2, ['gpu', 'claude']));
          for (await look(); run.jobs.length > 0; await look()) run.end(0);
          watch.close();
          expect(run.haveAllEnded).toBe(true);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  },
);
