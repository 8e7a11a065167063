/** What a run would do, from the same decisions that it would begin with. Writes nothing. */
import type { AgentResult } from '../../domain/agent-result.ts';
import type { Forecast, Plan, PlannedTravel, Skipped } from '../../domain/plan.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { makePlan } from '../../plan/plan.ts';
import { foresee } from '../../run/final-results.ts';
import { knownDurations } from '../../store/read/durations.ts';
import { withDatabase } from '../history.ts';
import type { RunOptions } from '../options.ts';
import type { Paths } from '../paths.ts';
import { type Prepared, workstreamsToRun } from '../prepare.ts';
import type { RunRequest } from '../prepare-run.ts';
import { isRemote, plannedReservations } from '../reserving.ts';
import { makeRoster } from '../roster.ts';
import { plannedContaining } from './containing.ts';
import { whyItStaysHere } from './stays-here.ts';

/** @throws Refusal as the run would for agents and tools that it can't have. */
export async function forecast({ options, paths, prepared }: RunRequest): Promise<Forecast> {
  const roster = makeRoster(options, workstreamsToRun(prepared));
  const { plan, outside, inheritance } = prepared;
  const results = foresee({ plan, outside, inheritance, maxCostUsd: options.maxCostUsd });
  const decided = new Set([...results, ...inheritance.kept].map(({ workstreamId }) => workstreamId));
  const executed = plan.workstreams.filter(({ id }) => !decided.has(id));
  return {
    plan: executed.length === plan.workstreams.length ? plan : planOf(executed, prepared, paths),
    skipped: skippedOf(results, plan.workstreams),
    kept: prepared.resumed?.counts ?? null,
    reserved: plannedReservations(executed, options),
    contained: !isRemote(options)
      ? await plannedContaining(executed, (workstream) => roster.toolsOf(0, workstream))
      : null,
    travelling: isRemote(options) ? await travelOf(executed, options, paths) : null,
  };
}

/** Loaded only where it is needed. */
async function travelOf(
  workstreams: readonly Workstream[],
  options: RunOptions,
  paths: Paths,
): Promise<PlannedTravel> {
  const { foreseeTravel } = await import('../../engine/queue/foresee-travel.ts');
  const excluded = [paths.state, paths.reports];
  const travel = await foreseeTravel({ option: options.source, project: paths.cwd, excluded, workstreams });
  return { ...travel, obstacle: whyItStaysHere(workstreams, options) ?? travel.obstacle };
}

/** Whether every workstream may still complete: otherwise the run can't end with exit code 0. */
export function mayComplete({ plan, skipped, kept, contained, travelling }: Forecast): boolean {
  const isRefused = [contained, travelling].some((each) => each !== null && each.obstacle !== null);
  if (isRefused) return false;
  const unfinished = kept === null ? 0 : kept.failed + kept.skipped;
  return plan.broken.length + skipped.length + unfinished === 0;
}

/** The plan of a part of it: everything else is decided and makes nothing wait. */
function planOf(executed: Workstream[], { plan, outside, inheritance }: Prepared, paths: Paths): Plan {
  const others = new Set([...plan.workstreams, ...plan.broken].map(({ id }) => id));
  for (const id of outside.keys()) others.add(id);
  // A definition that is broken now keeps the result that it has: it is in the plan no more.
  for (const { workstreamId } of inheritance.kept) others.add(workstreamId);
  const ids = executed.map(({ id }) => id);
  for (const id of ids) others.delete(id);
  const durations = withDatabase(paths.database, (history) =>
    history === null ? new Map<string, number>() : knownDurations(history, ids),
  );
  const part = makePlan({ workstreams: executed, broken: [], problems: [], files: 0 }, durations, others);
  return { ...part, broken: plan.broken, problems: plan.problems };
}

function skippedOf(results: readonly AgentResult[], workstreams: readonly Workstream[]): Skipped[] {
  const definitions = new Map(workstreams.map((workstream) => [workstream.id, workstream]));
  return results.flatMap(({ workstreamId, status, reason, explanation }) => {
    const definition = definitions.get(workstreamId);
    if (status !== 'skipped' || definition === undefined) return [];
    const { id, title, source, dependsOn } = definition;
    return [{ id, title, source, dependsOn, reason: reason ?? '', message: explanation ?? '' }];
  });
}
