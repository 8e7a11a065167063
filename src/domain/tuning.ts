/** Numbers of agents that were tried on this machine: what was measured, and what follows. */

/** A run of a sample with one number of agents. */
export interface TrialRun {
  agents: number;
  /** From the start of the run to its last result. */
  seconds: number;
  /** Workstreams that completed, and all that there were. */
  completed: number;
  total: number;
  /** The most resident memory of all its processes at one time; null where the system does not show it. */
  memoryBytes: number | null;
}

/** What runs with the same number of agents came to, by their medians. */
export interface TrialResult {
  agents: number;
  runs: TrialRun[];
  /** Workstreams a second. */
  throughput: number;
  memoryBytes: number | null;
  /** Throughput against that of one agent; where one was not tried, of the fewest that were. */
  speedup: number;
  /** Speed-up by how many times as many agents there are: 1 is all that there could be. */
  efficiency: number;
}

export interface AgentsAdvice {
  agents: number;
  /** `enough`: more agents gain next to nothing; `fastest`: fewer lose; `memory`: more would not fit. */
  reason: 'enough' | 'fastest' | 'memory';
  explanation: string;
}

/** Why a workstream is not run only to measure it. */
export type WhyLeftOut = 'broken' | 'tool' | 'worktree' | 'needs-left-out';

export interface LeftOut {
  id: string;
  why: WhyLeftOut;
}

export interface TuningResult {
  machine: { name: string; cores: number; memoryBytes: number | null };
  /** Workstreams that there were, and those of them that were run each time. */
  workstreams: number;
  sample: number;
  leftOut: LeftOut[];
  trials: TrialResult[];
  /** Null where nothing completed. */
  advice: AgentsAdvice | null;
  /** Results that did not complete, in all runs together. */
  failures: number;
}
