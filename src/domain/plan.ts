/** The validated workstreams as a graph: what runs in which order, what can't run at all, and every problem. */
import type { FinalStatus } from './agent-result.ts';
import type { Failure } from './failure.ts';
import type { Dependency, Source, Workstream } from './workstream.ts';

/** Something wrong, or odd, in a workstream file, with its place. */
export interface Problem {
  severity: 'error' | 'warning';
  /** Path of the file as messages show it. */
  file: string;
  /** Counted from 1; null where the whole file is meant. */
  line: number | null;
  column: number | null;
  /** The field, such as `steps[0].run`; empty for the whole definition. */
  path: string;
  message: string;
  /** The workstream it costs; null for a warning about none. */
  workstreamId: string | null;
}

/** `file:line:column: severity: path: message`, with what is not known left out. */
export function formatProblem(problem: Problem): string {
  const place =
    problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  const field = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}: ${problem.severity}: ${field}${problem.message}`;
}

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
  /** By index into `workstreams`: its wave, from 0. A wave needs only waves before it. */
  waveOf: Int32Array;
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

/** What all workstreams that are executed at the same time may reserve together. */
export interface Capacity {
  /** A fraction under a quota. */
  cpus: number;
  memoryMb: number;
  /** Whether the option says it; otherwise it is what this machine, or the container, allows. */
  given: { cpus: boolean; memoryMb: boolean };
}

/** What this machine is asked to contain. */
export interface PlannedContaining {
  kind: 'bwrap';
  /** Ids of the workstreams of which it contains something. */
  workstreams: string[];
  /** How many of these have hosts of the network listed, or none. */
  limitedNetworks: number;
  /** Why nothing can be contained here, so that a run refuses them; null where it can, with any network. */
  obstacle: string | null;
}

/** What hosts of a queue get of a project. */
export interface PlannedTravel {
  /** Hosts get a copy of the project's files, a commit from this URL, or have the project's folder themselves. */
  source: 'snapshot' | 'git' | 'shared';
  /** Of a copy; null where no files travel. Sizes are in bytes. */
  snapshot: { files: number; bytes: number; compressedBytes: number } | null;
  /** What is part of the project and can't travel. */
  leftOut: { path: string; why: string }[];
  /** What workstreams name and hosts do not get, in words that follow an id. */
  missing: { id: string; what: string }[];
  /** Why a run over this queue refuses to begin; null where it does not, as far as is known without asking Redis. */
  obstacle: string | null;
}

/** What a run's workstreams reserve. */
export interface PlannedReservations {
  capacity: Capacity;
  /** How many reserve something, and how many of all can be executed at the same time at most. */
  workstreams: number;
  mostAtOnce: number;
}

/** What a run will do, as far as that is certain before it begins. */
export interface Forecast {
  /** Of what the run will execute; its `broken` fail before that. */
  plan: Plan;
  skipped: Skipped[];
  /** The results that stay of the run that is resumed; null for a new run. */
  kept: Record<FinalStatus, number> | null;
  /** Null where nothing is reserved. */
  reserved: PlannedReservations | null;
  /** Null where nothing is contained on this machine. */
  contained: PlannedContaining | null;
  /** Null where this machine executes everything. */
  travelling: PlannedTravel | null;
}
