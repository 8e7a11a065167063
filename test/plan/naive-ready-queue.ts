import { scopesOverlap } from '../../src/plan/scope.ts';
import type { Workstream } from '../../src/domain/workstream.ts';

type State = 'fresh' | 'ready' | 'running' | 'ended' | 'removed';

/** The rules of handing out as they are said, looking at everything each time. Throws when two in conflict run. */
export class NaiveReadyQueue {
  readonly #ranked: readonly Workstream[];
  readonly #states: State[];
  readonly #agents: number;
  readonly #pinned: boolean;

  constructor(ranked: readonly Workstream[], agents: number, pinned: boolean) {
    this.#ranked = ranked;
    this.#states = ranked.map(() => 'fresh');
    this.#agents = agents;
    this.#pinned = pinned;
  }

  get size(): number {
    return this.#all('ready').length;
  }

  fresh(): number[] {
    return [...this.#all('fresh'), ...this.#all('removed')];
  }

  ended(): number[] {
    return this.#all('ended');
  }

  /** Those that an action can be done to. */
  in(action: string): number[] {
    return this.#all(action === 'release' ? 'running' : 'ready');
  }

  apply(action: string, index: number): void {
    this.#states[index] = action === 'release' ? 'ended' : action === 'remove' ? 'removed' : 'ready';
  }

  drain(): number[] {
    const all = this.#all('ready');
    for (const index of all) this.#states[index] = 'removed';
    return all;
  }

  take(agent: number): number | undefined {
    const index = this.#choose(agent);
    if (index === undefined) return undefined;
    for (const other of this.#all('running')) {
      if (this.#conflict(index, other) || this.#isAlone(other) || this.#isAlone(index))
        throw new Error(`${index} may not run beside ${other}`);
    }
    this.#states[index] = 'running';
    return index;
  }

  #choose(agent: number): number | undefined {
    const running = this.#all('running');
    if (running.some((index) => this.#isAlone(index))) return undefined;
    const free = this.#all('ready').filter((index) => !running.some((other) => this.#conflict(index, other)));
    const isMine = (index: number): boolean => !this.#pinned || index % this.#agents === agent;
    const [first] = free;
    if (first === undefined) return undefined;
    if (this.#isAlone(first)) return running.length === 0 && isMine(first) ? first : undefined;
    return free.find((index) => isMine(index) && !this.#isAlone(index));
  }

  #conflict(a: number, b: number): boolean {
    const [one, other] = [this.#ranked[a], this.#ranked[b]];
    if (one === undefined || other === undefined) throw new RangeError('no such workstream');
    if (one.conflictGroup !== null && one.conflictGroup === other.conflictGroup) return true;
    return one.scopes.some((scope) => other.scopes.some((its) => scopesOverlap(scope, its)));
  }

  #isAlone(index: number): boolean {
    return !(this.#ranked[index]?.parallelOk ?? true);
  }

  #all(state: State): number[] {
    return this.#states.flatMap((its, index) => (its === state ? [index] : []));
  }
}
