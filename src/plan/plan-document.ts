import { describeFailure } from '../domain/failure-message.ts';
import type { Conflict, Forecast, Plan, PlannedContaining, PlannedTravel, Problem } from '../domain/plan.ts';
import { type Dependency, declaredReservation } from '../domain/workstream.ts';
import { groupByWave } from './graph.ts';

/** `plan --format json`: one document, of this version. Durations in seconds. */
export interface PlanDocument {
  version: 1;
  totals: { workstreams: number; runnable: number; broken: number; skipped: number; waves: number };
  /** Those that will be executed, in dispatch order. */
  workstreams: PlannedWorkstream[];
  /** Ids; each wave needs only waves before it. */
  waves: string[][];
  criticalPath: { ids: string[]; seconds: number };
  /** How many expected durations come from earlier runs. */
  knownDurations: number;
  conflicts: Conflict[];
  /** What workstreams may reserve together, and how many run at the same time at most; null where none reserves anything. */
  resources: { cpus: number; memoryMb: number; mostAtOnce: number } | null;
  /** What this machine is asked to contain, and why it can't, so that a run refuses it; null where nothing is. */
  containing: PlannedContaining | null;
  /** What hosts of the queue get of the project; null where this machine executes everything. */
  travelling: PlannedTravel | null;
  /** Those that fail before anything is executed. */
  broken: NotExecuted[];
  /** Those that will be skipped whatever happens. */
  skipped: NotExecuted[];
  /** Results that stay of the run that is resumed; null for a new run. */
  kept: Forecast['kept'];
  problems: Problem[];
}

interface PlannedWorkstream {
  id: string;
  title: string;
  file: string;
  position: number;
  priority: number;
  /** Counted from 1. */
  wave: number;
  expectedSeconds: number;
  dependsOn: Dependency[];
  conflictGroup: string | null;
  parallelOk: boolean;
  scopes: string[];
  /** What it says that it needs; null where it says nothing. */
  cpus: number | null;
  memoryMb: number | null;
}

interface NotExecuted {
  id: string;
  title: string;
  file: string;
  position: number;
  reason: string;
  message: string;
}

/** The plan as a document that other programs read. */
export function planDocument({
  plan,
  skipped,
  kept,
  reserved,
  contained,
  travelling,
}: Forecast): PlanDocument {
  const idAt = (index: number): string => plan.workstreams[index]?.id ?? '';
  const waves = groupByWave(plan.waveOf);
  return {
    version: 1,
    totals: {
      workstreams: plan.workstreams.length + plan.broken.length + skipped.length,
      runnable: plan.workstreams.length,
      broken: plan.broken.length,
      skipped: skipped.length,
      waves: waves.length,
    },
    workstreams: plannedWorkstreams(plan),
    waves: waves.map((wave) => wave.map(idAt)),
    criticalPath: plan.criticalPath,
    knownDurations: plan.known,
    conflicts: plan.conflicts,
    resources:
      reserved === null
        ? null
        : {
            cpus: reserved.capacity.cpus,
            memoryMb: reserved.capacity.memoryMb,
            mostAtOnce: reserved.mostAtOnce,
          },
    containing: contained,
    travelling,
    broken: plan.broken.map(({ id, title, source, failure }) => ({
      id,
      title,
      ...source,
      reason: failure.reason,
      message: describeFailure(failure),
    })),
    skipped: skipped.map(({ id, title, source, reason, message }) => ({
      id,
      title,
      ...source,
      reason,
      message,
    })),
    kept,
    problems: plan.problems,
  };
}

function plannedWorkstreams(plan: Plan): PlannedWorkstream[] {
  return plan.workstreams.map((workstream, index) => {
    const { id, title, source, priority, dependsOn, conflictGroup, parallelOk, scopes } = workstream;
    return {
      id,
      title,
      ...source,
      priority,
      wave: (plan.waveOf[index] ?? 0) + 1,
      expectedSeconds: plan.expectedSeconds[index] ?? 0,
      dependsOn,
      conflictGroup,
      parallelOk,
      scopes,
      ...(declaredReservation(workstream) ?? { cpus: null, memoryMb: null }),
    };
  });
}
