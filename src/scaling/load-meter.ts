/** Measures the load of this process, its children and the machine, at intervals. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Load, LoadSource, MemoryLoad } from '../domain/scaling.ts';
import { Cgroups, type CgroupUse } from '../os/cgroup.ts';
import { type MachineUsage, machineUsage, memoryLeft } from '../os/machine.ts';
import { type TreeUsage, treeUsage } from '../os/tree-usage.ts';
import { usableCores } from '../os/usable-cores.ts';

/** Long enough that a load means something, short enough that a run of seconds is not over before the first change. */
const INTERVAL_MS = 250;

/** Counters and gauges at one moment. */
export interface LoadSample {
  /** Seconds on a clock that never goes back. */
  at: number;
  tree: TreeUsage;
  machine: MachineUsage;
  cgroup: CgroupUse;
  cores: number;
}

export class LoadMeter implements LoadSource {
  readonly #cgroups = new Cgroups();

  get cores(): number {
    return usableCores(this.#cgroups.read().cores);
  }

  watch(listener: (load: Load) => void): () => void {
    let before = this.#sample();
    let loop = performance.eventLoopUtilization();
    const timer = setInterval(() => {
      const after = this.#sample();
      const now: EventLoopUtilization = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, loop);
      const load = loadBetween(before, after, utilization);
      before = after;
      loop = now;
      listener(load);
    }, INTERVAL_MS);
    timer.unref();
    return () => clearInterval(timer);
  }

  #sample(): LoadSample {
    const cgroup = this.#cgroups.read();
    return {
      at: performance.now() / 1000,
      tree: treeUsage(),
      machine: machineUsage(),
      cgroup,
      cores: usableCores(cgroup.cores),
    };
  }
}

/**
 * What happened between two samples.
 * @param coordinator share of the time in which this thread was busy, 0 to 1.
 */
export function loadBetween(before: LoadSample, after: LoadSample, coordinator: number): Load {
  const seconds = after.at - before.at;
  const rate = (from: number, to: number): number => (seconds > 0 ? Math.max(0, to - from) / seconds : 0);
  const { cgroup, tree, machine, cores } = after;
  const earlier = before.cgroup.cpu;
  return {
    seconds,
    cores,
    cpu: rate(before.tree.cpuSeconds, tree.cpuSeconds),
    cpuWait: tree.waitedSeconds === null ? null : rate(0, waited(before.tree, tree)),
    totalCpu:
      cgroup.cpu !== null && earlier !== null
        ? rate(earlier.seconds, cgroup.cpu.seconds)
        : rate(before.machine.busySeconds, machine.busySeconds),
    throttled: cgroup.cpu === null || earlier === null ? null : throttled(earlier, cgroup.cpu),
    coordinator,
    memory: memoryOf(after),
  };
}

/** A thread that is new has waited since it began; what one that ended waited is not known any more. */
function waited({ waitedSeconds: before }: TreeUsage, { waitedSeconds: after }: TreeUsage): number {
  let seconds = 0;
  for (const [thread, value] of after ?? []) seconds += Math.max(0, value - (before?.get(thread) ?? 0));
  return seconds;
}

type CpuUse = NonNullable<CgroupUse['cpu']>;

function throttled(before: CpuUse, after: CpuUse): number {
  const periods = after.periods - before.periods;
  return periods <= 0 ? 0 : Math.min(1, Math.max(0, after.throttled - before.throttled) / periods);
}

function memoryOf({ cgroup, machine, tree }: LoadSample): MemoryLoad | null {
  const left = memoryLeft(cgroup, machine);
  return left === null ? null : { ...left, own: tree.memory };
}
