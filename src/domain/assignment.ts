import type { Json } from './json.ts';
import type { Workstream } from './workstream.ts';

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
  /** For modules that are not JavaScript: path of the module to path of its compiled form. */
  compiled: Record<string, string>;
}

/** Hard limits of one execution. */
export interface Limits {
  timeoutSeconds: number;
  /** How long what is asked to stop may take before it is made to. */
  graceSeconds: number;
  /** Largest output of one step in MB (10^6 bytes). */
  maxOutputMb: number;
}
