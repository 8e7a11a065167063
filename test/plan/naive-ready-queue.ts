import { scopesOverlap } from '../../src/plan/scope.ts';
import type { Workstream } from '../../src/domain/workstream.ts';

type State = 'fresh' | 'ready' | 'running' | 'ended' | 'removed';

/** By what is done to a workstream; `ready` by anything else. */
const STATES: Partial<Record<string, State>> = { release: 'ended', remove: 'removed', run: 'running' };

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
    this.#states[index] = STATES[action] ?? 'ready';
  }

  drain(): number[] {
    const all = this.#all('ready');
    for (const index of all) this.#states[index] = 'removed';
    return all;
  }

  take(agent: number): number | undefined {
    const index = this.choose(agent);
    if (index === undefined) return undefined;
    this.#states[index] = 'running';
    this.checkRunning();
    return index;
  }

  /** Throws when two run that may not run together. */
  checkRunning(): void {
    const running = this.#all('running');
    for (const [at, one] of running.entries()) {
      for (const other of running.slice(at + 1)) {
        if (this.#conflict(one, other) || this.#isAlone(other) || this.#isAlone(one))
          throw new Error(`${one} may not run beside ${other}`);
      }
    }
  }

  /** What this agent would get, where it may have what `mayHave` says. */
  choose(agent: number, mayHave: (index: number) => boolean = () => true): number | undefined {
    const running = this.#all('running');
    if (running.some((index) => this.#isAlone(index))) return undefined;
    const free = this.#all('ready').filter((index) => !running.some((other) => this.#conflict(index, other)));
    const isMine = (index: number): boolean =>
      (!this.#pinned || index % this.#agents === agent) && mayHave(index);
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
