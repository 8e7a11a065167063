import type { ExecutionSummary, Speed } from '../../domain/run-record.ts';
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
    'Speed-up against one agent',
    'Least possible time',
    'Critical path',
  ];
  if (summary === null) return rows.map((name) => [name, null]);
  const { speed } = summary;
  const values: Cell[] = [
    seconds(speed.wallSeconds),
    work(speed),
    speedUp(summary),
    leastTime(summary),
    criticalPath(speed),
  ];
  return rows.map((name, index) => [name, values[index] ?? null]);
}

function work({ busySeconds, oneAgentSeconds }: Speed): string {
  const waited = busySeconds - oneAgentSeconds;
  const crowded = waited > busySeconds * 0.01 ? `, ${seconds(waited)} of it waiting for a processor` : '';
  return `${seconds(busySeconds)}${crowded}; one agent would need ${seconds(oneAgentSeconds)}`;
}

function speedUp({ speed, agentsCount, scaling, cores }: ExecutionSummary): string {
  if (speed.speedup === null) return `${UNKNOWN} (nothing took measurable time)`;
  return `${ratio(speed.speedup)} × with ${scaling === null ? '' : 'up to '}${plural(agentsCount, 'agent')} on ${plural(cores, 'core')}`;
}

function leastTime(summary: ExecutionSummary): string {
  const { speed } = summary;
  const reached =
    speed.efficiency === null ? '' : `; the run reached ${percent(speed.efficiency)} of that speed`;
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
