/** Which hosts a run has, and for what there is none. */
import type { Failure } from '../../../domain/failure.ts';
import { type StartTime, secondsSince, startTimer } from '../../../os/stopwatch.ts';
import { plural } from '../../../text/format.ts';
import type { HostsSeen } from '../hosts.ts';
import { DEFAULT_LEASE_MS, type HostState, queueName, serves } from '../protocol.ts';

const LOOK_MS = 2_000;
/** How far a host's clock may be off before that is said. */
const MOST_CLOCK_MS = 5 * 60_000;

export interface HostWatchParts {
  read: () => Promise<HostsSeen>;
  /** Sets of labels that workstreams of the run require. */
  needed: readonly (readonly string[])[];
  /** How long a set waits for its first host, in seconds. */
  waitSeconds: number;
  notify: (text: string) => void;
}

/** A set of labels, and since when it has waited for a host. */
interface HostNeed {
  requires: readonly string[];
  queue: string;
  /** Null once a host has served it. */
  waitsSince: StartTime | null;
  hasHost: boolean;
  hasGivenUp: boolean;
}

export class HostWatch {
  readonly #parts: HostWatchParts;
  readonly #needs = new Map<string, HostNeed>();
  #hosts: HostState[] = [];
  /** The longest of all that were ever there; null before the first. */
  #leaseMs: number | null = null;
  #mostSlots = 0;
  #strangers = '';
  readonly #oddClocks = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  #isLooking = true;
  /** Whether a host came or went since the last look began. */
  #isLate = false;
  #looked: () => void = () => undefined;

  constructor(parts: HostWatchParts) {
    this.#parts = parts;
    for (const requires of parts.needed) {
      const queue = queueName(requires);
      this.#needs.set(queue, { requires, queue, waitsSince: null, hasHost: false, hasGivenUp: false });
    }
  }

  /** Looks, says what is missing, and goes on looking. Rejects where Redis refuses the first look. */
  async start(): Promise<void> {
    this.#take(await this.#parts.read(), true);
    this.#isLooking = false;
    if (this.#isLate) void this.#look();
    else this.#again();
  }

  /** A host says that it came or went: what it says counts only as it is read. */
  hint(): void {
    this.#isLate = true;
    if (this.#isLooking || this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    void this.#look();
  }

  /** Sets what is called after each look at who is there. */
  onLook(listener: () => void): void {
    this.#looked = listener;
  }

  /** Of the hosts that take work. */
  get slots(): number {
    return slotsOf(this.#hosts);
  }

  /** The most that there were at once. */
  get mostSlots(): number {
    return this.#mostSlots;
  }

  get hosts(): readonly HostState[] {
    return this.#hosts;
  }

  /** Names of the agents that hosts lend now, as results have them. */
  get agentNames(): string[] {
    return this.#hosts.flatMap(({ host, slots }) =>
      Array.from({ length: slots }, (_, slot) => `${host}/agent-${slot + 1}`),
    );
  }

  /** The longest that a host of this run keeps a lease without renewing it, in milliseconds. */
  get leaseMs(): number {
    return this.#leaseMs ?? DEFAULT_LEASE_MS;
  }

  /** Whether a host of this name is there and takes work. */
  takesWork(name: string): boolean {
    return this.#hosts.some(({ host, draining }) => host === name && !draining);
  }

  /** How many slots serve a queue, of hosts that take work. */
  slotsServing(queue: string): number {
    return slotsOf(this.#hosts.filter(({ provides }) => serves(provides, queue)));
  }

  /** Whether nothing has served these labels for as long as it is waited. */
  hasGivenUp(requires: readonly string[]): boolean {
    return this.#needs.get(queueName(requires))?.hasGivenUp === true;
  }

  noWorker(requires: readonly string[]): Failure {
    return { reason: 'no-worker', requires: [...requires], waitedSeconds: this.#parts.waitSeconds };
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #again(): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#look(), this.#nextLook());
  }

  /** In time for a set whose time is over. */
  #nextLook(): number {
    const left = [...this.#needs.values()].map(({ waitsSince, hasGivenUp }) =>
      waitsSince === null || hasGivenUp
        ? LOOK_MS
        : Math.max(0, (this.#parts.waitSeconds - secondsSince(waitsSince)) * 1000),
    );
    return Math.min(LOOK_MS, ...left);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    do {
      this.#isLate = false;
      try {
        this.#take(await this.#parts.read(), false);
      } catch {
        // Redis is away: who is there is not known, and nothing of it has changed.
      }
    } while (this.#isLate && !this.#isClosed);
    this.#isLooking = false;
    this.#again();
  }

  #take(seen: HostsSeen, isFirst: boolean): void {
    this.#hosts = seen.hosts;
    this.#mostSlots = Math.max(this.#mostSlots, this.slots);
    for (const { leaseMs } of seen.hosts) this.#leaseMs = Math.max(this.#leaseMs ?? 0, leaseMs);
    this.#tellStrangers(seen);
    for (const need of this.#needs.values()) this.#update(need, isFirst);
    this.#looked();
  }

  #update(need: HostNeed, isFirst: boolean): void {
    const had = need.hasHost;
    need.hasHost = this.#hosts.some(({ provides, draining }) => !draining && serves(provides, need.queue));
    if (need.hasHost) {
      if (!had && !isFirst) this.#parts.notify(`There is a host again${labels(need.requires)}.`);
      need.waitsSince = null;
      need.hasGivenUp = false;
      return;
    }
    if (had) {
      this.#parts.notify(
        `There is no host any more${labels(need.requires)}: what needs one waits until one is there. Start one with millrace worker${flag(need.requires)}.`,
      );
      // Jobs in its queue stay there: the next host takes them.
      return;
    }
    if (!isFirst && need.waitsSince === null) return;
    if (need.waitsSince === null) {
      need.waitsSince = startTimer();
      this.#parts.notify(
        `No host is there${labels(need.requires)}. What needs one waits for ${this.#parts.waitSeconds} seconds, and fails after that. Start one with millrace worker${flag(need.requires)}.`,
      );
    }
    if (secondsSince(need.waitsSince) >= this.#parts.waitSeconds) need.hasGivenUp = true;
  }

  #tellStrangers({ strangers, others, hosts }: HostsSeen): void {
    const sentences = [
      ...(strangers.length === 0
        ? []
        : [
            `${plural(strangers.length, 'host')} of this queue can't be used, because the key is another: ${strangers.join(', ')}.`,
          ]),
      ...(others.length === 0
        ? []
        : [
            `${plural(others.length, 'host')} of this queue can't be used, because the version of Millrace is another: ${others.map(({ host }) => host).join(', ')}.`,
          ]),
    ];
    const text = sentences.join(' ');
    if (text !== '' && text !== this.#strangers) this.#parts.notify(text);
    this.#strangers = text;
    for (const { host, clockMs } of hosts) {
      if (Math.abs(clockMs) < MOST_CLOCK_MS || this.#oddClocks.has(host)) continue;
      this.#oddClocks.add(host);
      this.#parts.notify(
        `The clock of ${host} is ${Math.round(Math.abs(clockMs) / 1000)} seconds ${clockMs < 0 ? 'behind' : 'ahead of'} that of Redis.`,
      );
    }
  }
}

/** Of those that take work. */
const slotsOf = (hosts: readonly HostState[]): number =>
  hosts.reduce((sum, { slots, draining }) => sum + (draining ? 0 : slots), 0);

const labels = (requires: readonly string[]): string =>
  requires.length === 0 ? '' : ` that provides ${requires.join(' and ')}`;
const flag = (requires: readonly string[]): string =>
  requires.length === 0 ? '' : ` --provides ${requires.join(',')}`;
