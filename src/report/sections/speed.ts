import type { ExecutionSummary, Speed } from '../../domain/run-record.ts';
import { LEAST_WORK_SECONDS, speedupOf } from '../../domain/speed.ts';
import { percent } from '../../support/percent.ts';
import { plural } from '../../support/plural.ts';
import { seconds } from '../../support/seconds.ts';
import { ratio } from '../figure.ts';
import { type Cell, code, glue, UNKNOWN } from '../nodes.ts';
import type { PhrasingContent } from 'mdast';

/** Most members of the critical path that are named. */
const NAMED = 12;

/** How fast the run was, against one agent and against what was possible. */
export function speedRows(summary: ExecutionSummary | null): Cell[][] {
  const rows = [
    'Wall time',
    'Work in all',
    'Overhead',
    'Speed-up against one agent',
    'Least possible time',
    'Critical path',
  ];
  if (summary === null) return rows.map((name) => [name, null]);
  const { speed } = summary;
  const values: Cell[] = [
    seconds(speed.wallSeconds),
    work(speed),
    overhead(speed),
    speedUp(summary),
    leastTime(summary),
    criticalPath(speed),
  ];
  return rows.map((name, index) => [name, values[index] ?? null]);
}

function work({ busySeconds, oneAgentSeconds }: Speed): string {
  const waited = busySeconds - oneAgentSeconds;
  const crowded = waited > busySeconds * 0.01 ? `, ${seconds(waited)} of it waiting for a processor` : '';
  return `${seconds(busySeconds)}${crowded}`;
}

function overhead({ overheadSeconds }: Speed): string | null {
  return overheadSeconds === null ? null : `${seconds(overheadSeconds)} in which no agent worked`;
}

function speedUp(summary: ExecutionSummary): string {
  const { speed, agentsCount, scaling, cores } = summary;
  if (agentsCount === 1) return `${UNKNOWN} (there was one agent)`;
  const speedup = speedupOf(summary);
  if (speedup === null) {
    const why =
      speed.busySeconds === 0 ? 'nothing took measurable time' : `less than ${LEAST_WORK_SECONDS}s of work`;
    return `${UNKNOWN} (${why})`;
  }
  return `${ratio(speedup)} × with ${scaling === null ? '' : 'up to '}${plural(agentsCount, 'agent')} on ${plural(cores, 'core')}`;
}

function leastTime(summary: ExecutionSummary): string {
  const { speed } = summary;
  const isTold = speed.efficiency !== null && speed.oneAgentSeconds >= LEAST_WORK_SECONDS;
  const reached = !isTold ? '' : `; the run reached ${percent(speed.efficiency ?? 0)} of that speed`;
  return `${seconds(speed.limitSeconds)}, set by ${bound(summary)}${reached}`;
}

/** What makes `limitSeconds` as large as it is. */
function bound({ speed, agentsCount }: ExecutionSummary): string {
  const least = speed.limitSeconds * 0.999;
  if (speed.criticalPathSeconds >= least) return 'the critical path';
  return speed.oneAgentSeconds / agentsCount >= least ? 'the number of agents' : 'the cores';
}

function criticalPath(speed: Speed): PhrasingContent[] {
  if (speed.criticalPath.length === 0) return [glue(UNKNOWN)];
  const named = speed.criticalPath.slice(0, NAMED);
  const nodes = named.flatMap((id, index) => (index === 0 ? [code(id)] : [glue(' → '), code(id)]));
  const left = speed.criticalPath.length - named.length;
  return [...nodes, glue(`${left > 0 ? ` and ${left} more` : ''} (${seconds(speed.criticalPathSeconds)})`)];
}
