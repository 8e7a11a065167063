/** How many agents there are to be, from what was measured. Pure: what was decided before comes in as `ScalingState`. */
import type { LoadStatistics, MemoryLoad, Scaling } from '../domain/scaling.ts';

/** From this share of the cores on, more agents can't use what is left. */
const FULL = 0.9;
/** From this share of its time on, an agent computes. */
const COMPUTING = 0.95;
/** Share of quota periods that were used up, and of the coordinator's time, from which on nothing is added. */
const THROTTLED = 0.1;
const COORDINATOR_BUSY = 0.8;
/** Shares of the memory limit that are left: below the first agents are taken, above the second they may be added. */
const MEMORY = { short: 0.08, enough: 0.16 };
/** What an agent takes at least, in bytes: a thread with a heap of its own. */
const LEAST_AGENT_BYTES = 16 * 2 ** 20;

/** Intervals in a row that have to say the same; where it is not known who waits for a processor, they are more. */
const IN_A_ROW = 2;
const IN_A_ROW_BLIND = 6;
/** Intervals for which nothing is added after memory was short. */
const AFTER_MEMORY = 40;

export interface ScalingPolicy {
  /** The number to start with, and the most that work gets that only computes. */
  base: number;
  /** Never more than this. */
  max: number;
}

/** What the decisions before this one left. */
export interface ScalingState {
  /** Intervals in a row that spoke for more agents, and for fewer. */
  more: number;
  fewer: number;
  /** Intervals for which nothing is added. */
  hold: number;
}

export const SCALING_START: ScalingState = { more: 0, fewer: 0, hold: 0 };

export interface ScalingDecision {
  /** Null for no change. */
  change: Scaling | null;
  state: ScalingState;
}

/** The number to start with: one for each core that the process may use, a part of a core counting as one. */
export function startScaling(
  cores: number,
  max: number,
  workstreams: number,
): { start: Scaling; policy: ScalingPolicy } {
  const base = Math.max(1, Math.ceil(cores));
  const most = Math.max(1, Math.min(max, workstreams));
  const to = Math.min(base, most);
  const why = to === base ? '' : to === max ? ', no more than --max-agents' : ', no more than workstreams';
  const explanation = `this process may use ${figure(cores)} ${cores === 1 ? 'core' : 'cores'}${why}`;
  return { start: { from: null, to, reason: 'start', explanation }, policy: { base: to, max: most } };
}

/**
 * At most one change for each interval: fewer agents where memory is short, or where they compute and are more than
 * the cores; more where cores are idle while workstreams wait for an agent. While agents that were taken away still
 * have work in hand nothing is changed, because it would show no effect yet.
 */
export function decideScaling(
  load: LoadStatistics,
  policy: ScalingPolicy,
  before: ScalingState,
): ScalingDecision {
  const hold = Math.max(0, before.hold - 1);
  if (load.busy > load.agents) return { change: null, state: { more: 0, fewer: 0, hold } };
  const memory = forMemory(load);
  if (memory !== null) return { change: memory, state: { more: 0, fewer: 0, hold: AFTER_MEMORY } };
  const less = forProcessors(load, policy);
  const fewer = less === null ? 0 : before.fewer + 1;
  const enough = load.cpuWait === null ? IN_A_ROW_BLIND : IN_A_ROW;
  if (less !== null && fewer >= enough) return { change: less, state: { more: 0, fewer: 0, hold } };
  const growth = less === null && hold === 0 ? forIdleCores(load, policy) : null;
  const more = growth === null ? 0 : before.more + 1;
  if (growth !== null && more >= IN_A_ROW) return { change: growth, state: { more: 0, fewer: 0, hold } };
  return { change: null, state: { more, fewer, hold } };
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
  const { agents, busy, cores, cpu, cpuWait } = load;
  if (agents <= base || busy === 0) return null;
  if (cpuWait === null) return whenBlind(load, base);
  const wanted = cpu + cpuWait;
  const figures = `${busy} busy agents wanted ${figure(wanted)} of ${figure(cores)} cores`;
  if (wanted >= busy * COMPUTING && wanted > cores) {
    return { from: agents, to: base, reason: 'cpu-bound', explanation: `${figures}: they compute` };
  }
  if (wanted <= crowded(cores)) return null;
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

/** Twice as many at most, and no more than it takes to use the idle cores if each needs as much as those that work. */
function forIdleCores(load: LoadStatistics, { base, max }: ScalingPolicy): Scaling | null {
  const { agents, busy, waiting, cores, memory } = load;
  if (agents >= max || busy < agents || waiting === 0) return null;
  const wanted = load.cpu + (load.cpuWait ?? 0);
  const used = usedCores(load, wanted);
  if (used >= cores * FULL || (agents >= base && wanted >= busy * COMPUTING)) return null;
  if ((load.throttled ?? 0) >= THROTTLED || load.coordinator >= COORDINATOR_BUSY) return null;
  const more = wanted <= 0 ? Number.POSITIVE_INFINITY : Math.ceil(((cores - used) * busy) / wanted);
  const to = Math.min(2 * agents, max, busy + waiting, agents + Math.min(more, affordable(memory, busy)));
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
