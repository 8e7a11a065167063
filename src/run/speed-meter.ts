/** Measures how fast a run was, and what bounded it, while its results arrive. */
import type { AttemptRecord } from '../domain/attempt.ts';
import type { EarlierResult } from '../domain/earlier-run.ts';
import type { Outcome } from '../domain/outcome.ts';
import { LEAST_WORK_SECONDS, type Speed } from '../domain/run-record.ts';
import { runsInThread, type Workstream } from '../domain/workstream.ts';
import { usableCores } from '../os/usable-cores.ts';

/**
 * A dependency ends before its dependent starts, so the longest chain that ends in a workstream is known as soon as
 * its own duration is: the critical path needs no second pass over the graph.
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
  /** When at least one agent was busy; null where a part of that is not known. */
  #worked: Covered | null = new Covered();

  constructor(workstreams: readonly Workstream[]) {
    this.#workstreams = workstreams;
    this.#indexOf = new Map(workstreams.map(({ id }, index) => [id, index]));
    this.#chain = new Float64Array(workstreams.length);
    this.#before = new Int32Array(workstreams.length).fill(-1);
  }

  /** Adds the outcome of the workstream with this index, and the attempts before it. */
  add(
    index: number,
    outcome: Outcome,
    earlier: readonly Pick<AttemptRecord, 'startTime' | 'durationSeconds'>[] = [],
  ): void {
    let seconds = outcome.durationSeconds;
    this.#worked?.add(outcome.startedAt, outcome.startedAt + seconds * 1000);
    for (const { startTime, durationSeconds } of earlier) {
      const start = Date.parse(startTime);
      seconds += durationSeconds;
      this.#worked?.add(start, start + durationSeconds * 1000);
    }
    this.#measure(this.#workstreams[index], outcome, seconds);
    this.#lengthen(index, seconds);
  }

  /** Adds a result of an earlier session; in the order in which they arrived. */
  addEarlier(result: EarlierResult): void {
    const { workstreamId, durationSeconds } = result;
    const index = this.#indexOf.get(workstreamId);
    if (durationSeconds > 0) this.#worked = null;
    this.#measure(index === undefined ? undefined : this.#workstreams[index], result, durationSeconds);
    if (index !== undefined) this.#lengthen(index, durationSeconds);
  }

  /** Children wait for a processor as well, and their waiting is not known. */
  #measure(
    workstream: Workstream | undefined,
    { cpuSeconds, cpuWaitSeconds }: Pick<Outcome, 'cpuSeconds' | 'cpuWaitSeconds'>,
    seconds: number,
  ): void {
    this.#busy += seconds;
    if (workstream !== undefined && runsInThread(workstream)) this.#waited += cpuWaitSeconds ?? 0;
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
    const isEnough = wallSeconds > 0 && oneAgentSeconds >= LEAST_WORK_SECONDS;
    const overheadSeconds = this.#overhead(wallSeconds);
    const ofOneAgent = oneAgentSeconds + (overheadSeconds ?? 0);
    return {
      wallSeconds,
      busySeconds: this.#busy,
      oneAgentSeconds,
      overheadSeconds,
      criticalPathSeconds,
      criticalPath: this.#criticalPath(),
      speedup: agents === 1 ? this.#ofItself() : isEnough ? ofOneAgent / wallSeconds : null,
      limitSeconds,
      efficiency: isEnough ? Math.min(1, limitSeconds / wallSeconds) : null,
    };
  }

  #ofItself(): number | null {
    return this.#busy > 0 ? 1 : null;
  }

  /** Never negative, although the clock may have been set meanwhile. */
  #overhead(wallSeconds: number): number | null {
    if (this.#worked === null) return null;
    return Math.max(0, wallSeconds - Math.max(0, this.#worked.length() / 1000));
  }

  #criticalPath(): string[] {
    const ids: string[] = [];
    for (let index = this.#last; index !== -1; index = this.#before[index] ?? -1) {
      ids.push(this.#workstreams[index]?.id ?? '');
    }
    return ids.toReversed();
  }
}

/** A list of numbers that grows without holding an object for each. */
class Numbers {
  #values = new Float64Array(64);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  sorted(): Float64Array {
    return this.#values.subarray(0, this.#length).toSorted();
  }
}

/** Intervals, and how much of the time at least one of them covers. */
export class Covered {
  readonly #starts = new Numbers();
  readonly #ends = new Numbers();

  /** Ignores what is no interval. */
  add(start: number, end: number): void {
    if (!(start <= end)) return;
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** Sorts: O(n log n). */
  length(): number {
    const starts = this.#starts.sorted();
    const ends = this.#ends.sorted();
    let length = 0;
    let open = 0;
    let since = 0;
    let next = 0;
    for (const end of ends) {
      for (; next < starts.length && (starts[next] ?? 0) <= end; next += 1) {
        if (open === 0) since = starts[next] ?? 0;
        open += 1;
      }
      open -= 1;
      if (open === 0) length += end - since;
    }
    return length;
  }
}
