/** Measures how fast a run was, and what bounded it, while its results arrive. */
import type { AttemptRecord } from '../domain/attempt.ts';
import type { EarlierResult } from '../domain/history/earlier-run.ts';
import type { Outcome } from '../domain/outcome.ts';
import { LEAST_WORK_SECONDS, type Speed } from '../domain/run-record.ts';
import { runsInThread, type Workstream } from '../domain/workstream.ts';
import { usableCores } from '../os/usable-cores.ts';
import type { Reserving } from '../plan/reservations.ts';

/**
 * A dependency ends before its dependent starts, so the longest chain that ends in a workstream is known as soon as
 * its own duration is: the critical path needs no second pass over the graph.
 */
export class SpeedMeter {
  readonly #workstreams: readonly Workstream[];
  /** Made when it is needed: not where nothing depends on anything. */
  #indices: Map<string, number> | null = null;
  /** Seconds of the longest chain that ends in each workstream. */
  readonly #chain: Float64Array;
  /** The member before each in that chain; -1 for none. */
  readonly #before: Int32Array;
  #busy = 0;
  #waited = 0;
  #cpu = 0;
  #last = -1;
  readonly #reserving: Reserving | null;
  /** Processor seconds, and megabyte seconds, that were reserved. */
  #reservedCpus = 0;
  #reservedMemory = 0;
  /** Of workstreams that were opened again: how many attempts had been added by then. */
  readonly #added = new Map<number, number>();
  /** When at least one agent was busy; null where a part of that is not known. */
  #worked: Covered | null = new Covered();

  /** @param reserving what each workstream reserves; null where none does. Default: null. */
  constructor(workstreams: readonly Workstream[], reserving: Reserving | null = null) {
    this.#workstreams = workstreams;
    this.#reserving = reserving;
    this.#chain = new Float64Array(workstreams.length);
    this.#before = new Int32Array(workstreams.length).fill(-1);
  }

  /** Of a workstream that was opened again, the first so many attempts have been added. */
  reopen(index: number, attempts: number): void {
    this.#added.set(index, attempts);
  }

  /** Adds the outcome of the workstream with this index, and the attempts before it. */
  add(
    index: number,
    outcome: Outcome,
    earlier: readonly Pick<AttemptRecord, 'startTime' | 'durationSeconds'>[] = [],
  ): void {
    let seconds = outcome.durationSeconds;
    this.#worked?.add(outcome.startedAt, outcome.startedAt + seconds * 1000);
    for (const { startTime, durationSeconds } of earlier.slice(this.#added.get(index) ?? 0)) {
      const start = Date.parse(startTime);
      seconds += durationSeconds;
      this.#worked?.add(start, start + durationSeconds * 1000);
    }
    this.#measure(this.#workstreams[index], outcome, seconds);
    this.#reserve(index, seconds);
    this.#lengthen(index, seconds);
  }

  /** What runs alone reserves nothing. */
  #reserve(index: number, seconds: number): void {
    const need = this.#reserving?.needs[index] ?? null;
    if (need === null || this.#workstreams[index]?.parallelOk !== true) return;
    this.#reservedCpus += (need.cpus ?? 0) * seconds;
    this.#reservedMemory += (need.memoryMb ?? 0) * seconds;
  }

  /** Adds a result of an earlier session; in the order in which they arrived. */
  addEarlier(result: EarlierResult): void {
    const { workstreamId, durationSeconds } = result;
    const index = this.#indexOf(workstreamId);
    if (durationSeconds > 0) this.#worked = null;
    this.#measure(index === undefined ? undefined : this.#workstreams[index], result, durationSeconds);
    if (index === undefined) return;
    this.#reserve(index, durationSeconds);
    this.#lengthen(index, durationSeconds);
  }

  #indexOf(id: string): number | undefined {
    this.#indices ??= new Map(this.#workstreams.map((workstream, index) => [workstream.id, index]));
    return this.#indices.get(id);
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
      const dependency = this.#indexOf(id);
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
    const reservedSeconds = this.#reservedSeconds();
    const limitSeconds = Math.max(
      criticalPathSeconds,
      reservedSeconds ?? 0,
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
      reservedSeconds,
      speedup: agents === 1 ? this.#ofItself() : isEnough ? ofOneAgent / wallSeconds : null,
      limitSeconds,
      efficiency: isEnough ? Math.min(1, limitSeconds / wallSeconds) : null,
    };
  }

  #reservedSeconds(): number | null {
    if (this.#reserving === null) return null;
    const { cpus, memoryMb } = this.#reserving.capacity;
    return Math.max(this.#reservedCpus / cpus, this.#reservedMemory / memoryMb);
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

/**
 * Intervals, and how much of the time at least one of them covers. Those that overlap become one, so that what is kept
 * does not grow with their number; they are added in about the order of their ends, which makes that cheap.
 */
export class Covered {
  /** Of disjoint intervals, ascending. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Ignores what is no interval. */
  add(start: number, end: number): void {
    if (!(start <= end)) return;
    const last = this.#ends.length - 1;
    const lastEnd = this.#ends[last] ?? Number.NEGATIVE_INFINITY;
    if (start > lastEnd) {
      this.#starts.push(start);
      this.#ends.push(end);
    } else if (start >= (this.#starts[last] ?? start)) this.#ends[last] = Math.max(end, lastEnd);
    else this.#insert(start, end);
  }

  length(): number {
    return this.#ends.reduce((sum, end, at) => sum + end - (this.#starts[at] ?? end), 0);
  }

  /** Puts one interval in the place of all that it touches. */
  #insert(start: number, end: number): void {
    const from = firstWhere(this.#ends, (other) => other >= start);
    const to = firstWhere(this.#starts, (other) => other > end);
    const first = Math.min(start, from < to ? (this.#starts[from] ?? start) : start);
    const last = Math.max(end, from < to ? (this.#ends[to - 1] ?? end) : end);
    this.#starts.splice(from, to - from, first);
    this.#ends.splice(from, to - from, last);
  }
}

/** Index of the first number that meets a condition which all after it meet too; the length where none does. */
function firstWhere(numbers: readonly number[], meets: (number: number) => boolean): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (meets(numbers[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
