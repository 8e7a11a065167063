/** Measures how fast a run was, and what bounded it, while its results arrive. */
import type { AttemptRecord } from '../domain/attempt.ts';
import type { EarlierResult } from '../domain/earlier-run.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Speed } from '../domain/run-record.ts';
import type { Workstream } from '../domain/workstream.ts';
import { usableCores } from '../support/usable-cores.ts';

/**
 * A dependency ends before its dependent starts, so the longest chain that ends in a workstream is known as soon as
 * its own duration is: the critical path needs no second look at the graph.
 */
export class SpeedMeter {
  readonly #workstreams: readonly Workstream[];
  readonly #indexOf: Map<string, number>;
  /** Seconds of the longest chain that ends in each workstream. */
  readonly #chain: Float64Array;
  /** The member before each in that chain; -1 for none. */
  readonly #before: Int32Array;
  #busy = 0;
  #waited = 0;
  #cpu = 0;
  #last = -1;

  constructor(workstreams: readonly Workstream[]) {
    this.#workstreams = workstreams;
    this.#indexOf = new Map(workstreams.map(({ id }, index) => [id, index]));
    this.#chain = new Float64Array(workstreams.length);
    this.#before = new Int32Array(workstreams.length).fill(-1);
  }

  /** Takes the outcome of the workstream with this index, and the attempts before it. */
  add(
    index: number,
    outcome: Outcome,
    earlier: readonly Pick<AttemptRecord, 'durationSeconds'>[] = [],
  ): void {
    const seconds = earlier.reduce((sum, attempt) => sum + attempt.durationSeconds, outcome.durationSeconds);
    this.#measure(outcome, seconds);
    this.#lengthen(index, seconds);
  }

  /** Takes a result of an earlier session, in the order in which they arrived. */
  addEarlier(result: EarlierResult): void {
    const { workstreamId, durationSeconds } = result;
    this.#measure(result, durationSeconds);
    const index = this.#indexOf.get(workstreamId);
    if (index !== undefined) this.#lengthen(index, durationSeconds);
  }

  #measure(
    { cpuSeconds, cpuWaitSeconds }: Pick<Outcome, 'cpuSeconds' | 'cpuWaitSeconds'>,
    seconds: number,
  ): void {
    this.#busy += seconds;
    this.#waited += cpuWaitSeconds ?? 0;
    this.#cpu += cpuSeconds ?? 0;
  }

  #lengthen(index: number, seconds: number): void {
    let longest = 0;
    for (const { id } of this.#workstreams[index]?.dependsOn ?? []) {
      const dependency = this.#indexOf.get(id);
      const chain = dependency === undefined ? 0 : (this.#chain[dependency] ?? 0);
      if (dependency === undefined || chain <= longest) continue;
      longest = chain;
      this.#before[index] = dependency;
    }
    const chain = longest + seconds;
    this.#chain[index] = chain;
    if (this.#last === -1 || chain > (this.#chain[this.#last] ?? 0)) this.#last = index;
  }

  /**
   * @param wallSeconds from the start of the run to its last result.
   * @param agents number of agents; where it changed, the most that there were.
   */
  speed(wallSeconds: number, agents: number): Speed {
    const oneAgentSeconds = Math.max(0, this.#busy - this.#waited);
    const criticalPathSeconds = this.#last === -1 ? 0 : (this.#chain[this.#last] ?? 0);
    const limitSeconds = Math.max(
      criticalPathSeconds,
      oneAgentSeconds / agents,
      this.#cpu / Math.min(agents, usableCores()),
    );
    const ratio = (value: number): number | null =>
      wallSeconds > 0 && this.#busy > 0 ? value / wallSeconds : null;
    const efficiency = ratio(limitSeconds);
    return {
      wallSeconds,
      busySeconds: this.#busy,
      oneAgentSeconds,
      criticalPathSeconds,
      criticalPath: this.#criticalPath(),
      speedup: ratio(oneAgentSeconds),
      limitSeconds,
      efficiency: efficiency === null ? null : Math.min(1, efficiency),
    };
  }

  #criticalPath(): string[] {
    const ids: string[] = [];
    for (let index = this.#last; index !== -1; index = this.#before[index] ?? -1) {
      ids.push(this.#workstreams[index]?.id ?? '');
    }
    return ids.toReversed();
  }
}
