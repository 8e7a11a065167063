/** Measures what executions use of processors and memory, the processes that they start included. */
import { childrenOf, hasProcessTable } from '../os/process-table.ts';
import { treeUsageOf } from '../os/tree-usage.ts';

/** What an execution used; null for what can't be known. */
export interface MeasuredUsage {
  cpuSeconds: number | null;
  peakMemoryMb: number | null;
}

const SAMPLE_MS = 100;
const BYTES_PER_MB = 2 ** 20;

/** Those that are sampled, all by one timer. */
const meters = new Set<UsageMeter>();
let timer: NodeJS.Timeout | null = null;

/**
 * The processes of one execution are read ten times a second. Of those that the command host has started, it tells in the
 * end what they used; of others, what was used after the last sample is not known, so that figures are lower bounds.
 */
export class UsageMeter {
  /** CPU time of each process group's leader with its descendants. */
  readonly #cpuSeconds = new Map<number, number>();
  /** The leaders that may be alive. */
  readonly #alive = new Set<number>();
  /** A thread of this process that waits for processes without naming them: all that it has started are measured. */
  #thread: string | null = null;
  #peakMb: number | null = null;

  constructor() {
    meters.add(this);
    timer ??= setInterval(sampleAll, SAMPLE_MS).unref();
  }

  /** Adds a process, with its descendants. */
  started(pid: number): void {
    this.#alive.add(pid);
    this.sample();
  }

  /** @param thread as `ownThread` names it. */
  waits(thread: string): void {
    this.#thread = thread;
  }

  ended(pid: number): void {
    this.#alive.delete(pid);
  }

  /** Takes what a process and those it had waited for used in all; its memory is the most that one of these held. */
  told(pid: number, { cpuSeconds, peakMemoryMb }: { cpuSeconds: number; peakMemoryMb: number }): void {
    this.#raise(pid, cpuSeconds, peakMemoryMb);
  }

  sample(): void {
    if (!hasProcessTable) return;
    if (this.#thread !== null) for (const pid of childrenOf(this.#thread)) this.#alive.add(pid);
    let memory = 0;
    for (const pid of this.#alive) {
      const used = treeUsageOf(pid);
      if (used === null) {
        this.#alive.delete(pid);
        continue;
      }
      memory += used.memory;
      this.#raise(pid, used.cpuSeconds, 0);
    }
    if (memory > 0) this.#peakMb = Math.max(this.#peakMb ?? 0, memory / BYTES_PER_MB);
  }

  /** Ends the sampling. Idempotent. */
  stop(): void {
    meters.delete(this);
    if (meters.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  }

  /** @param own CPU time of the agent's thread in seconds; null where it is not known, or among the processes. */
  usage(own: number | null): MeasuredUsage {
    const ofProcesses = [...this.#cpuSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
    const isKnown = own !== null || this.#cpuSeconds.size > 0;
    return { cpuSeconds: isKnown ? (own ?? 0) + ofProcesses : null, peakMemoryMb: this.#peakMb };
  }

  #raise(pid: number, cpuSeconds: number, peakMb: number): void {
    this.#cpuSeconds.set(pid, Math.max(cpuSeconds, this.#cpuSeconds.get(pid) ?? 0));
    if (peakMb > 0) this.#peakMb = Math.max(peakMb, this.#peakMb ?? 0);
  }
}

function sampleAll(): void {
  for (const meter of meters) meter.sample();
}
