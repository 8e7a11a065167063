/** Decides the number of agents from what was measured. Pure: earlier decisions come in as `ScalingState`. */
import type { LoadStatistics, MemoryLoad, Scaling } from '../domain/scaling.ts';

/** From this share of the cores on, more agents can't use what is left. */
const FULL = 0.95;
/** Below this share of the cores next to nothing computes, which needs no second look. */
const BARELY = 0.25;
/** Share of busy agents from which on all count as busy: one may be between two workstreams. */
const BUSY = 0.9;
/** From this share of its time on, an agent computes. */
const COMPUTING = 0.95;
/** Share of quota periods that were used up, and of the coordinator's time, from which on nothing is added. */
const THROTTLED = 0.1;
const COORDINATOR_BUSY = 0.8;
/** Shares of the memory limit that are left: below the first agents are taken, above the second they may be added. */
const MEMORY = { short: 0.08, enough: 0.16 };
/** What an agent takes at least, in bytes: a thread with a heap of its own. */
const LEAST_AGENT_BYTES = 16 * 2 ** 20;

/**
 * Agents that start together compute together and wait together, so a moment says little. What counts is the mean over
 * this many times the duration of a workstream, within these bounds in seconds.
 */
const DURATIONS = 2;
const WINDOW = { least: 1.5, most: 30 };
/** Seconds for which nothing is added after memory was short. */
const AFTER_MEMORY = 10;

export interface ScalingPolicy {
  /** The number to start with, and the most that work gets that only computes. */
  base: number;
  /** Never more than this. */
  max: number;
}

/** What was measured before. */
export interface ScalingState {
  /** Since the last change, the newest last. */
  recent: readonly LoadStatistics[];
  /** Seconds for which nothing is added. */
  hold: number;
  /** Seconds since the last change in which agents that take no more workstreams were still busy. */
  leaving: number;
}

export const SCALING_START: ScalingState = { recent: [], hold: 0, leaving: 0 };

export interface ScalingDecision {
  /** Null for none. */
  change: Scaling | null;
  state: ScalingState;
}

/** What bounds the number of agents at the start. */
export interface ScalingBounds {
  /** Cores that the run may use. */
  cores: number;
  /** Whether an option says how many these are. Default: false. */
  isGiven?: boolean;
  max: number;
  workstreams: number;
  /** Workstreams that can be executed at the same time, by what they reserve. Default: all. */
  fitting?: number;
}

/** The number to start with: one for each core that the run may use, a part of a core counting as one. */
export function startScaling({
  cores,
  isGiven = false,
  max,
  workstreams,
  fitting = workstreams,
}: ScalingBounds): { start: Scaling; policy: ScalingPolicy } {
  const base = Math.max(1, Math.ceil(cores));
  const most = Math.max(1, Math.min(max, workstreams, fitting));
  const to = Math.min(base, most);
  const isReserved = to === fitting && fitting < workstreams;
  const bound = to === max ? '--max-agents' : isReserved ? 'what they reserve allows' : 'workstreams';
  const why = to === base ? '' : `, no more than ${bound}`;
  const who = isGiven ? 'by --cpus the run' : 'this process';
  const explanation = `${who} may use ${figure(cores)} ${cores === 1 ? 'core' : 'cores'}${why}`;
  return { start: { from: null, to, reason: 'start', explanation }, policy: { base: to, max: most } };
}

/**
 * At most one change for each interval: fewer agents where memory is short, or where they compute and are more than
 * the cores; more where cores are idle while workstreams wait for an agent. To add one costs little and to wait costs
 * time, so the first sign is enough for that; agents that are too many cost little, so they are taken away only after
 * a whole window. While agents that were taken away are still busy nothing is changed, because it would show no effect
 * yet; but not for longer than the longest window, since one may have hours to go.
 */
export function decideScaling(
  load: LoadStatistics,
  policy: ScalingPolicy,
  before: ScalingState,
): ScalingDecision {
  const hold = Math.max(0, before.hold - load.seconds);
  const leaving = load.busy > load.agents ? before.leaving + load.seconds : 0;
  if (leaving > 0 && leaving <= WINDOW.most) return { change: null, state: { recent: [], hold, leaving } };
  const memory = forMemory(load);
  if (memory !== null) return { change: memory, state: { recent: [], hold: AFTER_MEMORY, leaving: 0 } };
  const recent = within(WINDOW.most, [...before.recent, load]);
  const window = within(windowOf(load), recent);
  const mayGrow = hold === 0 && load.busy >= load.agents * BUSY;
  const change =
    fewer(load, policy, window, recent) ??
    (mayGrow ? forIdleCores(meanOf(window), policy, recent.length) : null);
  return change === null
    ? { change, state: { recent, hold, leaving } }
    : { change, state: { recent: [], hold, leaving: 0 } };
}

/**
 * Where these agents have the cores, one window decides. Where other programs have them, threads queue for reasons that
 * are not their own, and only the longest does.
 */
function fewer(
  load: LoadStatistics,
  policy: ScalingPolicy,
  window: readonly LoadStatistics[],
  recent: readonly LoadStatistics[],
): Scaling | null {
  const isWhole = (loads: readonly LoadStatistics[], seconds: number): boolean =>
    secondsOf(loads) >= seconds - load.seconds / 2;
  const mean = meanOf(window);
  const isOurs = mean.cpu >= load.cores * FULL && isWhole(window, windowOf(load));
  if (isOurs) return forProcessors(mean, policy);
  return isWhole(recent, WINDOW.most) ? forProcessors(meanOf(recent), policy) : null;
}

/** In seconds; the longest as long as no workstream has ended. */
function windowOf({ workstreamSeconds }: LoadStatistics): number {
  const wanted = workstreamSeconds === null ? WINDOW.most : DURATIONS * workstreamSeconds;
  return Math.min(WINDOW.most, Math.max(WINDOW.least, wanted));
}

const secondsOf = (loads: readonly LoadStatistics[]): number =>
  loads.reduce((sum, { seconds }) => sum + seconds, 0);

/** The newest that are this many seconds together, or the newest one. */
function within(window: number, loads: readonly LoadStatistics[]): readonly LoadStatistics[] {
  let sum = 0;
  let first = loads.length;
  while (first > 0 && (sum < window || first === loads.length)) {
    first -= 1;
    sum += loads[first]?.seconds ?? 0;
  }
  return loads.slice(first);
}

/** The mean of what was used; workload and memory as they are at the end. */
function meanOf(loads: readonly LoadStatistics[]): LoadStatistics {
  const now = loads.at(-1);
  if (now === undefined) throw new RangeError('there is no mean of nothing');
  const seconds = secondsOf(loads);
  const mean = (valueOf: (load: LoadStatistics) => number): number =>
    seconds === 0
      ? valueOf(now)
      : loads.reduce((sum, load) => sum + valueOf(load) * load.seconds, 0) / seconds;
  return {
    ...now,
    busy: mean(({ busy }) => busy),
    inChildren: mean(({ inChildren }) => inChildren),
    cpu: mean(({ cpu }) => cpu),
    cpuWait: now.cpuWait === null ? null : mean(({ cpuWait }) => cpuWait ?? 0),
    totalCpu: now.totalCpu === null ? null : mean(({ totalCpu }) => totalCpu ?? 0),
    throttled: now.throttled === null ? null : mean(({ throttled }) => throttled ?? 0),
    coordinator: mean(({ coordinator }) => coordinator),
  };
}

/** Half of the agents, at once. */
function forMemory({ agents, memory }: LoadStatistics): Scaling | null {
  if (memory === null || agents <= 1 || !isShort(memory)) return null;
  const explanation = `${megabytes(memory.available)} of ${megabytes(memory.limit)} of memory were left, ${megabytes(memory.own)} were in use by this run`;
  return { from: agents, to: Math.floor(agents / 2), reason: 'memory', explanation };
}

const isShort = ({ available, limit }: MemoryLoad): boolean => available < limit * MEMORY.short;

/**
 * How many threads may want a processor. With fewer than `kept` cores are idle now and then although there is work, and
 * between the two numbers nothing is changed, so that it does not go to and fro.
 */
const kept = (cores: number): number => cores * 1.25 + 1;
const crowded = (cores: number): number => cores * 1.5 + 3;

/** Never below what the cores give: those of other programs are not ours to make room for. */
function forProcessors(load: LoadStatistics, { base }: ScalingPolicy): Scaling | null {
  const { agents, busy, cores, cpu, cpuWait, totalCpu } = load;
  if (agents <= base || busy === 0) return null;
  if (cpuWait === null) return whenBlind(load, base);
  const wanted = cpu + cpuWait;
  const figures = `${figure(busy)} busy agents wanted ${figure(wanted)} of ${figure(cores)} cores`;
  if (wanted >= busy * COMPUTING && wanted > cores) {
    return { from: agents, to: base, reason: 'cpu-bound', explanation: `${figures}: they compute` };
  }
  // Where cores are idle at times although so many want one at others, they only work in step.
  if (wanted <= crowded(cores) || Math.max(cpu, totalCpu ?? 0) < cores * FULL) return null;
  // However many agents queue for a processor, as many wait for something else: those are wanted besides.
  const to = Math.max(base, Math.ceil(kept(cores) + busy - wanted));
  return to < agents ? { from: agents, to, reason: 'crowded', explanation: figures } : null;
}

/** Full cores may be just what is wanted, or twice as much as there is: a quarter is taken, to see which. */
function whenBlind({ agents, cores, cpu, totalCpu }: LoadStatistics, base: number): Scaling | null {
  const used = Math.max(cpu, totalCpu ?? 0);
  if (used < cores * 0.98) return null;
  const to = Math.max(base, Math.floor(agents * 0.75));
  const explanation = `${agents} agents and what else runs here used all of ${figure(cores)} cores`;
  return { from: agents, to, reason: 'crowded', explanation };
}

/**
 * Twice as many at most, and no more than it takes to use the idle cores if each needs as much as those that work.
 * @param samples how often it was measured since the last change.
 */
function forIdleCores(load: LoadStatistics, { base, max }: ScalingPolicy, samples: number): Scaling | null {
  const { agents, busy, waiting, cores, memory } = load;
  if (agents >= max || waiting === 0) return null;
  const wanted = load.cpu + (load.cpuWait ?? 0);
  if (samples < 2 && wanted >= cores * BARELY) return null;
  const used = usedCores(load, wanted);
  if (used >= cores * FULL || (agents >= base && wanted >= busy * COMPUTING)) return null;
  if ((load.throttled ?? 0) >= THROTTLED || load.coordinator >= COORDINATOR_BUSY) return null;
  const more = wanted <= 0 ? Number.POSITIVE_INFINITY : Math.ceil(((cores - used) * busy) / wanted);
  const to = Math.min(2 * agents, max, agents + waiting, agents + Math.min(more, affordable(memory, busy)));
  if (to <= agents) return null;
  const explanation = `${agents} busy agents used ${figure(load.cpu)} of ${figure(cores)} cores while ${waiting} more ${waiting === 1 ? 'workstream was' : 'workstreams were'} ready`;
  return { from: agents, to, reason: 'waiting', explanation };
}

/**
 * What a thread computes is measured. What a child process sets in motion may run anywhere, in a daemon for example,
 * so where most agents have one everything on the machine counts. It does too where they want as much as there is:
 * cores that other programs keep busy are not idle.
 */
function usedCores({ cpu, totalCpu, inChildren, busy, cores }: LoadStatistics, wanted: number): number {
  return inChildren * 2 >= busy || wanted >= cores * FULL ? Math.max(cpu, totalCpu ?? 0) : cpu;
}

/** How many more agents memory is enough for, if each takes as much as those that are busy. */
function affordable(memory: MemoryLoad | null, busy: number): number {
  if (memory === null) return Number.POSITIVE_INFINITY;
  const each = Math.max(LEAST_AGENT_BYTES, memory.own / busy);
  return Math.max(0, Math.floor((memory.available - memory.limit * MEMORY.enough) / each));
}

const figure = (value: number): string => String(Math.round(value * 100) / 100);
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
