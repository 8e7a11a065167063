/** How much of each quota is used, and which of the ready workstreams it leaves to an agent. */
import type { Quotas } from '../domain/policy/quota.ts';
import { type FirstOfKinds, KindHeap } from './kind-heap.ts';
import { requireAt } from './require-at.ts';

/**
 * Counts agents and not workstreams: one that has a batch of tiny ones may get more of their kind, and it is not more
 * that is executed at once.
 */
export class QuotaUse {
  readonly #quotas: Quotas;
  /** By workstream. */
  readonly #kinds: Int32Array;
  /** By kind: its quota at the last `refresh`. */
  readonly #most: Float64Array;
  /** By kind: how many agents have workstreams of it. */
  readonly #users: Int32Array;
  /** By kind: how many workstreams are ready. */
  readonly #ready: Int32Array;
  /** By agent: how many workstreams of each kind it has. */
  readonly #held = new Map<number, Map<number, number>>();
  /** Told when a kind opens or closes for agents that have nothing of it. */
  readonly #heaps: KindHeap[] = [];
  #agent: number | null = null;

  /** @param runsAlone whether a workstream does: it waits only where its quota is 0, and is of a kind of its own here. */
  constructor(quotas: Quotas, runsAlone: (index: number) => boolean) {
    this.#quotas = quotas;
    this.#kinds = quotas.kindOf.map((kind, index) => kind + (runsAlone(index) ? quotas.kinds : 0));
    this.#most = new Float64Array(2 * quotas.kinds);
    this.#users = new Int32Array(2 * quotas.kinds);
    this.#ready = new Int32Array(2 * quotas.kinds);
    this.refresh();
  }

  kindOf(index: number): number {
    return requireAt(this.#kinds, index);
  }

  /** A heap for ready workstreams that offers what the quotas leave to the agent that `askFor` named last. */
  makeHeap(): KindHeap {
    const heap = new KindHeap({
      kinds: this.#most.length,
      kindOf: (index) => this.kindOf(index),
      isOpen: (kind) => this.#isOpen(kind),
      choose: (firsts) => this.#smallest(firsts),
    });
    this.#heaps.push(heap);
    return heap;
  }

  /** What the asking agent may have more of counts too, although others may not begin with it. */
  #smallest(firsts: FirstOfKinds): number {
    let { smallest } = firsts;
    if (this.#agent === null) return smallest;
    for (const kind of this.#held.get(this.#agent)?.keys() ?? [])
      if (this.#users[kind] === this.#most[kind]) smallest = Math.min(smallest, firsts.first(kind));
    return smallest;
  }

  /** Reads the quotas again. O(kinds log kinds). */
  refresh(): void {
    const { kinds } = this.#quotas;
    for (let kind = 0; kind < kinds; kind += 1) {
      const quota = this.#quotas.quotaOf(kind);
      this.#setMost(kind, quota);
      this.#setMost(kinds + kind, quota > 0 ? Number.POSITIVE_INFINITY : 0);
    }
  }

  #setMost(kind: number, most: number): void {
    this.#change(kind, () => {
      this.#most[kind] = most;
    });
  }

  /** Whether something is ready of a kind that no agent may have at all. */
  get isWaiting(): boolean {
    return this.#ready.some((count, kind) => count > 0 && this.#most[kind] === 0);
  }

  /** @param agent that heaps offer workstreams to from now on; null for one that has none. */
  askFor(agent: number | null): void {
    this.#agent = agent;
  }

  /** Whether agents may have it that have nothing of its kind. */
  #isOpen(kind: number): boolean {
    return requireAt(this.#users, kind) < requireAt(this.#most, kind);
  }

  /** Notes that one more is ready, or with -1 one fewer. */
  addReady(index: number, by: 1 | -1): void {
    const kind = this.kindOf(index);
    this.#ready[kind] = requireAt(this.#ready, kind) + by;
  }

  /** As `ReadyQueue.shares`. The share of a kind is that at the first question about it. */
  shares(agents: number): (index: number) => number {
    const known = new Map<number, number>();
    return (index) => {
      const kind = this.kindOf(index);
      let share = known.get(kind);
      if (share === undefined) {
        const sharers = Math.max(1, Math.min(agents, requireAt(this.#most, kind)));
        known.set(kind, (share = Math.ceil(requireAt(this.#ready, kind) / sharers)));
      }
      return share;
    };
  }

  take(index: number, agent: number): void {
    const kind = this.kindOf(index);
    const held = this.#heldBy(agent);
    const count = held.get(kind) ?? 0;
    held.set(kind, count + 1);
    if (count === 0) this.#addUser(kind, 1);
  }

  release(index: number, agent: number): void {
    const kind = this.kindOf(index);
    const held = this.#heldBy(agent);
    const left = (held.get(kind) ?? 1) - 1;
    if (left > 0) held.set(kind, left);
    else if (held.delete(kind)) this.#addUser(kind, -1);
  }

  #addUser(kind: number, by: 1 | -1): void {
    this.#change(kind, () => {
      this.#users[kind] = requireAt(this.#users, kind) + by;
    });
  }

  #change(kind: number, change: () => void): void {
    const before = this.#isOpen(kind);
    change();
    if (this.#isOpen(kind) !== before) for (const heap of this.#heaps) heap.update(kind);
  }

  #heldBy(agent: number): Map<number, number> {
    let held = this.#held.get(agent);
    if (held === undefined) this.#held.set(agent, (held = new Map()));
    return held;
  }
}
