import type { Failure } from './failure.ts';
import type { Json } from './json.ts';
import type { ToolSettings } from './tool.ts';
import type { Shell, Workstream } from './workstream.ts';

/** One workstream handed to one agent: everything that the agent needs, and nothing that can't cross to a thread. */
export interface Assignment {
  /** Unique within the process; ties messages and cancellation to this execution. */
  executionId: number;
  runId: string;
  agentId: string;
  /** Counted from 1. */
  attempt: number;
  workstream: Workstream;
  /** Absolute folder in which commands run unless a step says otherwise. */
  workspace: string;
  /** `output` of each workstream it depends on, by id. */
  dependencies: Record<string, Json>;
  /** Absolute path for the whole output of this execution; the file is made when there is output. */
  logFile: string;
  limits: Limits;
  /** How the tools of its tool steps are called, by the name that the step uses; unknown tools are absent. */
  tools: Record<string, ToolSettings>;
  /** The shell line of each type of test gate; a type without one is absent. */
  gates: Record<string, string>;
  /** What runs shell lines that name no shell. */
  shell: Shell;
  /** A shell line that prepares the workspace before the first step; null for none. */
  setup: string | null;
  /** Why the attempt before this one failed; null for the first. */
  previousFailure: Failure | null;
  /** What limits the cost of its tools, that of which least is left first; empty for no limit. */
  budgets: CostLimit[];
}

/** A limit in US dollars, and what is known to be spent of it when the execution begins. */
export interface CostLimit {
  of: 'workstream' | 'run';
  limitUsd: number;
  spentUsd: number;
}

/** Hard limits of one execution. */
export interface Limits {
  timeoutSeconds: number;
  /** How long what is asked to stop may take before it is made to. */
  graceSeconds: number;
  /** Largest output of one step in MB (10^6 bytes). */
  maxOutputMb: number;
}

/** Where the files of an execution are, beside the log of its output: `ws-a.log` has `ws-a.test-1.log` and `ws-a.tool`. */

const nameOf = (logFile: string): string => logFile.replace(/\.log$/, '');

/** What the acceptance test at this position, from 1, printed. */
export const testLogFile = (logFile: string, position: number): string =>
  `${nameOf(logFile)}.test-${position}.log`;

/** The folder of what its tool steps keep. */
export const toolFolder = (logFile: string): string => `${nameOf(logFile)}.tool`;
