/** The validated workstreams as a graph: what runs in which order, and what can't run at all. */
import type { FinalStatus } from './agent-result.ts';
import type { Failure } from './failure.ts';
import type { Problem } from './problem.ts';
import type { Dependency, Source, Workstream } from './workstream.ts';

/** A workstream that is failed before the run starts. */
export interface Broken {
  id: string;
  title: string;
  source: Source;
  failure: Failure;
}

/** What a folder of workstream files gives: definitions and problems, both as many as there are. */
export interface LoadedFolder {
  workstreams: Workstream[];
  broken: Broken[];
  problems: Problem[];
  /** Number of files read. */
  files: number;
}

/**
 * Workstreams that never run at the same time. For `scope` that is each member and those that own the path itself;
 * members in different places inside it may run together.
 */
export interface Conflict {
  kind: 'conflict-group' | 'scope' | 'alone';
  /** The group's name, the shared path, or the workstream's id. */
  what: string;
  members: string[];
}

export interface Plan {
  /** Runnable workstreams in handing-out order. */
  workstreams: Workstream[];
  broken: Broken[];
  /** Indices into `workstreams`: wave k needs only waves before it. */
  waves: number[][];
  /** Longest chain by expected duration. */
  criticalPath: { ids: string[]; seconds: number };
  conflicts: Conflict[];
  /** Expected seconds by index into `workstreams`. */
  expectedSeconds: Float64Array;
  /** How many of those come from history. */
  known: number;
  problems: Problem[];
}

/** A workstream of which it is certain before the run that it will be skipped. */
export interface Skipped {
  id: string;
  title: string;
  source: Source;
  dependsOn: Dependency[];
  /** As they will stand in its result. */
  reason: string;
  message: string;
}

/** What a run will do, as far as that is certain before it begins. */
export interface Forecast {
  /** Of what the run will execute; its `broken` fail before that. */
  plan: Plan;
  skipped: Skipped[];
  /** The results that stay of the run that is resumed; null for a new run. */
  kept: Record<FinalStatus, number> | null;
}
