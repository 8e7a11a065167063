import { posix } from 'node:path';
import type { Workstream } from '../../src/domain/workstream.ts';
import { scopePrefix } from '../../src/plan/scope.ts';

type State = 'fresh' | 'ready' | 'aside' | 'running' | 'ended';

/** By what is done to a workstream; `ready` by anything else. */
const STATES: Partial<Record<string, State>> = { release: 'ended', run: 'running' };

/** The rules of `ReadyQueue` without its index: every call checks every workstream. Throws when two in conflict run. */
export class NaiveReadyQueue {
  readonly #ranked: readonly Workstream[];
  readonly #states: State[];
  readonly #agents: number;
  readonly #pinned: boolean;
  readonly #isRefused: (index: number) => boolean;
  readonly #isWithinQuota: (index: number, agent: number) => boolean;

  /**
   * @param isRefused whether the gate refuses it. Default: it refuses nothing.
   * @param isWithinQuota whether its quota leaves it to an agent, -1 for one that has nothing. Default: there is none.
   */
  constructor(
    ranked: readonly Workstream[],
    agents: number,
    pinned: boolean,
    isRefused: (index: number) => boolean = () => false,
    isWithinQuota: (index: number, agent: number) => boolean = () => true,
  ) {
    this.#ranked = ranked;
    this.#states = ranked.map(() => 'fresh');
    this.#agents = agents;
    this.#pinned = pinned;
    this.#isRefused = isRefused;
    this.#isWithinQuota = isWithinQuota;
  }

  get size(): number {
    return this.#all('ready').length;
  }

  fresh(): number[] {
    return this.#all('fresh');
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

  retry(): void {
    for (const index of this.#all('aside')) this.#states[index] = 'ready';
  }

  take(agent: number): number | undefined {
    for (;;) {
      const chosen = this.choose(agent);
      const asked = this.#awaited() ?? chosen;
      if (asked === undefined) return undefined;
      if (this.#isRefused(asked)) {
        this.#states[asked] = 'aside';
        continue;
      }
      if (asked !== chosen) return undefined;
      this.#states[asked] = 'running';
      this.checkRunning();
      return asked;
    }
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
    const isMine = (index: number): boolean =>
      (!this.#pinned || index % this.#agents === agent) && mayHave(index);
    const [first] = this.#free(ANYBODY);
    if (first !== undefined && this.#isAlone(first))
      return !this.#isBusy && isMine(first) ? first : undefined;
    return this.#free(agent).find((index) => isMine(index) && !this.#isAlone(index));
  }

  /** The workstream that runs alone and for which everything else has to end. */
  #awaited(): number | undefined {
    const [first] = this.#free(ANYBODY);
    return first !== undefined && this.#isAlone(first) && this.#isBusy ? first : undefined;
  }

  /** Those that are ready, within their quota and in conflict with nothing that runs. */
  #free(agent: number): number[] {
    const running = this.#all('running');
    if (running.some((index) => this.#isAlone(index))) return [];
    return this.#all('ready').filter(
      (index) => this.#isWithinQuota(index, agent) && !running.some((other) => this.#conflict(index, other)),
    );
  }

  get #isBusy(): boolean {
    return this.#all('running').length > 0;
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

/** An agent that has nothing. */
const ANYBODY = -1;

/** Where relative scopes begin: deep enough that no test's `..` reaches the root. */
const START = '/some/start/folder/of/a/user';

/** Whether one scope's path is the other's or above it. */
function scopesOverlap(a: string, b: string): boolean {
  const [one, other] = [a, b].map((scope) => `${posix.resolve(START, scopePrefix(scope))}/`);
  if (one === undefined || other === undefined) throw new RangeError('two scopes are compared');
  return one.startsWith(other) || other.startsWith(one);
}
