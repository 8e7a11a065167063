/** What a module step is called with and what it may return: the contract with user code. */
import type { Logger } from 'pino';
import type { Json } from './json.ts';
import type { Workstream } from './workstream.ts';

/** The second argument of a module step's function. */
export interface StepContext {
  /** Aborted when the workstream is to stop: its time is up or the run is interrupted. */
  readonly signal: AbortSignal;
  /** Absolute folder that the workstream works in. */
  readonly workspace: string;
  readonly agentId: string;
  readonly runId: string;
  /** Counted from 1. */
  readonly attempt: number;
  readonly workstream: Readonly<Workstream>;
  /** `output` of each workstream it depends on, by id; null for one that gave none. */
  readonly dependencies: Readonly<Record<string, Json>>;
  /** A logger bound to run, agent and workstream. Loaded on first use. */
  readonly log: Logger;
  /** Live progress: `fraction` from 0 to 1, or null when unknown. As cheap as a comparison when called often. */
  progress(fraction: number | null, text?: string): void;
  /** Adds a warning to the result; the workstream still completes. */
  warn(text: string): void;
  /**
   * Reports a value of a metric while the workstream runs. Of each metric about 500 points are kept, spread evenly, and
   * always the first, the last, the least and the greatest.
   * @param name at most 200 characters; of more than 100 names those that come later are left out, with a warning.
   * @param value a finite number.
   * @param step a finite number, such as an epoch. Default: how many values of this metric were reported before it.
   * @throws TypeError for anything else.
   */
  metric(name: string, value: number, step?: number): void;
}

/** What a module step may return. All of it is optional, and so is returning anything. */
export interface ModuleResult {
  /** Given to dependents and kept in the database: anything that JSON can hold, at most 16 MB of it. */
  output?: unknown;
  /** Paths of files that it changed. */
  filesModified?: string[];
  /** Numbers worth comparing between runs. */
  metrics?: Record<string, number>;
}

/** The function that a module step's module exports. `I` is the type of the step's `input`. */
export type ModuleStepFunction<I = Json> = (
  input: I,
  context: StepContext,
) => ModuleResult | void | Promise<ModuleResult | void>;
