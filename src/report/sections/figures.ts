/** How fast the run was, and the figures of the run and its machine. */
import type { PhrasingContent } from 'mdast';
import { checkoutText } from '../../domain/history/history.ts';
import {
  type ExecutionSummary,
  LEAST_WORK_SECONDS,
  type RunDocumentHead,
  type Speed,
  speedupOf,
} from '../../domain/run-record.ts';
import { nameSome, percent, plural, seconds } from '../../text/format.ts';
import { dateTime, ratio } from '../cells.ts';
import { type Block, type Cell, code, glue, heading, table, UNKNOWN } from '../nodes.ts';

/** Speed-up against one agent, and the least time that cores, agents and the critical path allow. */
export function speed({ run }: RunDocumentHead): Block[] {
  const rows = [...speedRows(run.executionSummary), ...waitedRow(run.executionSummary)];
  return [heading(2, 'Speed'), table(['Measure', 'Value'], rows)];
}

/** What is known of the run and its machine beside what it was for. */
export function figures(head: RunDocumentHead): Block[] {
  return [heading(2, 'The run'), table(['Measure', 'Value'], figureRows(head))];
}

function figureRows(result: RunDocumentHead): Cell[][] {
  const { totals, executionSummary: summary, createdAt, endedAt } = result.run;
  const { label, checkout, hostname, retryOf } = result.run;
  const ran = totals.completed + totals.failed;
  return [
    [
      'Success rate',
      ran === 0 ? `${UNKNOWN} (none ran)` : `${percent(totals.completed / ran)} of the ${ran} that ran`,
    ],
    ['Tests', testsText(result)],
    ['Errors', totals.errors],
    ['Started (UTC)', dateTime(createdAt)],
    ['Ended (UTC)', endedText(result, endedAt)],
    ...(summary === null || summary.sessions === 1 ? [] : [['Sessions', sessionsText(summary)]]),
    ...(label === null ? [] : [['Label', [code(label)]]]),
    ...(checkout === null ? [] : [['Commit', [code(checkoutText(checkout))]]]),
    ...(hostname === null ? [] : [['Host', [code(hostname)]]]),
    ...(retryOf === null ? [] : [['Tries again', [code(retryOf)]]]),
    ['Exit code', summary?.exitCode ?? null],
    ['Agents', summary === null ? null : agentsText(summary)],
    ['Coordinator', summary === null ? null : coordinator(summary)],
    ['Machine', summary === null ? null : machine(summary)],
    ['Database', [code(result.database)]],
  ];
}

function waitedRow(summary: ExecutionSummary | null): Cell[][] {
  const waited = summary?.waitedForRuns ?? null;
  return waited === null
    ? []
    : [['Waited for other runs', `${seconds(waited.seconds)} for locks of ${nameSome(waited.runIds)}`]];
}

function testsText({ tests }: RunDocumentHead): string {
  const manual = tests.manual === 0 ? '' : `, ${plural(tests.manual, 'manual check')} apart`;
  if (tests.passed + tests.failed === 0) return `none run${manual}`;
  return `${tests.passed} passed, ${tests.failed} failed${manual}`;
}

function endedText({ run }: RunDocumentHead, endedAt: string | null): string {
  if (endedAt !== null) return dateTime(endedAt);
  return run.state === 'running' ? `${UNKNOWN} (still under way)` : `${UNKNOWN} (not recorded)`;
}

function sessionsText({ sessions }: ExecutionSummary): string {
  return `${sessions}, together in all times; agents are those of the last, pauses count nowhere`;
}

function agentsText({ agentsCount, scaling, distribution }: ExecutionSummary): string {
  const count =
    scaling === null ? String(agentsCount) : `auto: ${scaling.start} at the start, ${scaling.most} at most`;
  return `${count}, ${distribution} distribution`;
}

function machine({ platform, cores, node, millrace }: ExecutionSummary): string {
  return `${platform}, ${plural(cores, 'core')}, Node ${node.replace(/^v/, '')}, Millrace ${millrace}`;
}

function coordinator({ overhead }: ExecutionSummary): string {
  return `${seconds(overhead.storeSeconds)} storing, ${seconds(overhead.consolidateSeconds)} consolidating`;
}

/** Most members of the critical path that are named. */
const NAMED = 12;

/** How fast the run was, against one agent and against what was possible. */
function speedRows(summary: ExecutionSummary | null): Cell[][] {
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
  if ((speed.reservedSeconds ?? 0) >= least) return 'what workstreams reserve';
  return speed.oneAgentSeconds / agentsCount >= least ? 'the number of agents' : 'the cores';
}

function criticalPath(speed: Speed): PhrasingContent[] {
  if (speed.criticalPath.length === 0) return [glue(UNKNOWN)];
  const named = speed.criticalPath.slice(0, NAMED);
  const nodes = named.flatMap((id, index) => (index === 0 ? [code(id)] : [glue(' → '), code(id)]));
  const left = speed.criticalPath.length - named.length;
  return [...nodes, glue(`${left > 0 ? ` and ${left} more` : ''} (${seconds(speed.criticalPathSeconds)})`)];
}
