/** A number of agents that follows the load: what is measured, and what is decided. */

/** What was measured over one interval. CPU is in cores: 1.5 is one and a half processors busy all the time. */
export interface Load {
  /** Length of the interval. */
  seconds: number;
  /** Cores that this process may use; a fraction under a quota. */
  cores: number;
  /** Used by this process, its threads and the processes that they started. */
  cpu: number;
  /** Threads of the same that were ready to run and had no processor; null where the system does not show it. */
  cpuWait: number | null;
  /** Used by everything within the same limits: the container, or else the machine. Null where it is not known. */
  totalCpu: number | null;
  /** Share of the quota's periods in which it was used up, 0 to 1; null without a quota. */
  throttled: number | null;
  /** Share of the interval in which the coordinator's own thread was busy, 0 to 1. */
  coordinator: number;
  memory: MemoryLoad | null;
}

/** Memory in bytes. */
export interface MemoryLoad {
  /** The least that bounds this process: that of the container, or the machine's. */
  limit: number;
  /** Of it, what can still be used. */
  available: number;
  /** Resident memory of this process and the processes that it started. */
  own: number;
}

/** The workload at the end of the interval. */
export interface Workload {
  /** Number of agents that take work. */
  agents: number;
  /** Agents that execute a workstream, those that take no more included. */
  busy: number;
  /** Of these, agents whose workstream has a child process. */
  inChildren: number;
  /** Workstreams that are ready and for which no agent is free. */
  waiting: number;
  /** How long workstreams took lately, in seconds; null where none has ended. */
  workstreamSeconds: number | null;
}

export type LoadStatistics = Load & Workload;

/** Why the number of agents is what it is. */
export type ScalingReason = 'start' | 'waiting' | 'cpu-bound' | 'crowded' | 'memory';

/** A number of agents that was decided on. */
export interface Scaling {
  /** Null at the start. */
  from: number | null;
  to: number;
  reason: ScalingReason;
  /** The reason with its figures, as a sentence. */
  explanation: string;
}

/** One that was carried out. */
export interface AgentsChange extends Scaling {
  /** ISO 8601 in UTC. */
  at: string;
}

/** A run in which the number of agents followed the load, in short. */
export interface ScalingSummary {
  /** Of the last session. */
  start: number;
  final: number;
  least: number;
  most: number;
  /** How often it changed. */
  changes: number;
}

/** Where loads come from. */
export interface LoadSource {
  /** Cores that this process may use, at the start; a fraction under a quota. */
  readonly cores: number;
  /** Calls `listener` with the load at intervals, until the returned function is called. */
  watch(listener: (load: Load) => void): () => void;
}
