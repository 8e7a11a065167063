/**
 * What happens in a run, as a stream of events. The recorder takes each event first; progress, logs and the
 * library's listeners see it only after it is on disk.
 */
import type { AgentResult, FinalStatus } from './agent-result.ts';
import type { Reason } from './failure.ts';
import type { Totals } from './run-record.ts';
import type { AgentsChange } from './scaling.ts';
import type { Workstream } from './workstream.ts';

export type RunEvent =
  | {
      type: 'run-started';
      runId: string;
      /** ISO 8601 in UTC. */
      at: string;
      agents: string[];
      /** Every workstream id of the run, broken ones too. */
      total: number;
      /** Those that are to be run. */
      workstreams: readonly Workstream[];
      /** Of a run that is resumed; null for one that begins. */
      resumed: ResumedRun | null;
      /** Expected seconds of all work together, from history; null without any. */
      expectedSeconds: number | null;
    }
  | {
      /** What it needs is there, or it was taken back. What needs nothing is ready from the start, without an event. */
      type: 'workstream-ready';
      workstreamId: string;
    }
  | {
      type: 'workstream-started';
      workstreamId: string;
      title: string;
      agentId: string;
      attempt: number;
      /** Whether it is queued for a moment behind another workstream of the agent. */
      queued: boolean;
      at: string;
      /** Expected seconds from history; null without any. */
      expectedSeconds: number | null;
    }
  | {
      /** An attempt failed and another one follows. */
      type: 'workstream-retrying';
      workstreamId: string;
      agentId: string;
      /** The attempt that failed. */
      attempt: number;
      reason: Reason;
      explanation: string;
      /** Pause before the next attempt in seconds. */
      afterSeconds: number;
    }
  | {
      type: 'workstream-progress';
      workstreamId: string;
      agentId: string;
      /** 0 to 1; null when unknown. */
      fraction: number | null;
      text: string;
    }
  | {
      type: 'workstream-log';
      workstreamId: string;
      agentId: string;
      /** One pino line, JSON without a line end. */
      line: string;
    }
  | { type: 'workstream-finished'; result: AgentResult }
  | { type: 'agent-replaced'; agentId: string; why: string }
  | {
      /** The number of agents follows the load, and is this from now on; the first one is that at the start. */
      type: 'agents-scaled';
      change: AgentsChange;
      /** Names of those that take work. */
      agents: string[];
    }
  | {
      /** Other runs hold what workstreams of this one need. All that it waits for from now on: empty for nothing. */
      type: 'waiting-for-runs';
      waits: RunWait[];
      /** The one that is new; null where it waits for less than before. */
      added: RunWait | null;
    }
  | { type: 'interrupting'; signal: string; running: number }
  | { type: 'notice'; level: 'info' | 'warn' | 'error'; text: string; workstreamId: string | null }
  | {
      type: 'run-ended';
      runId: string;
      at: string;
      exitCode: number;
      totals: Totals;
      /** Absolute path of the Markdown report; null when it could not be written. */
      report: string | null;
      /** Absolute path of the database. */
      database: string;
    };

/** What another run holds. */
export interface RunWait {
  /** The first workstream that needs it. */
  workstreamId: string;
  /** The run that holds it. */
  runId: string;
  /** A clause that says who waits for whom, and why. */
  explanation: string;
}

/** What a run that is resumed has already. */
export interface ResumedRun {
  /** Results that stay. */
  counts: Record<FinalStatus, number>;
  /** Workstreams whose results are dropped, because they are run again. */
  discarded: readonly string[];
  /** Whether a process of the run died by itself, and this one goes on at once. */
  afterDeath: boolean;
  /** Results that it had when it was taken, and workstreams that were in hand when the process before died. */
  results: number;
  inHand: number;
}

/** Sees events. Must not throw and must not wait. */
export type RunListener = (event: RunEvent) => void;
