/** Recommendations about how fast a run was, from measured times only. */
import type { AgentPerformance, ExecutionSummary } from '../domain/run-record.ts';
import { LEAST_WORK_SECONDS } from '../domain/speed.ts';
import { percent } from '../support/percent.ts';
import { plural } from '../support/plural.ts';
import { seconds } from '../support/seconds.ts';
import type { AdviceInput } from './advice-input.ts';
import { nameSome } from './run-command.ts';

/** From this share on, a chain decides the wall time, agents are busy, and work is CPU-bound. */
const DECISIVE = 0.8;
const BUSY = 0.7;

/** The least gain worth a sentence: a tenth of the wall time. */
const GAIN = 0.9;

/** At most one thing that bounds the run, and the imbalance of pinned distribution. */
export function speedAdvice(input: AdviceInput): string[] {
  const summary = input.run.executionSummary;
  if (summary === null || input.run.state !== 'ended' || isShort(summary)) return [];
  const bound = chainAdvice(summary, input) ?? idleAdvice(summary, input) ?? moreAgentsAdvice(summary, input);
  const imbalance = imbalanceAdvice(summary, input.agents);
  return [bound, imbalance].filter((sentence) => sentence !== null);
}

/** Of little work the times are mostly those of any run. */
const isShort = ({ speed }: ExecutionSummary): boolean => speed.oneAgentSeconds < LEAST_WORK_SECONDS;

/** One chain of workstreams, or one workstream, takes nearly all of the wall time while agents are idle. */
function chainAdvice({ speed, agentsCount }: ExecutionSummary, { timeline }: AdviceInput): string | null {
  const { criticalPath, criticalPathSeconds: chain, wallSeconds: wall, busySeconds: busy } = speed;
  const [only] = criticalPath;
  if (chain < speed.limitSeconds * 0.999) return null;
  if (agentsCount < 2 || only === undefined || chain < wall * DECISIVE || busy > agentsCount * wall * BUSY)
    return null;
  const members = new Set(criticalPath);
  // What failed may have hung, or would have gone on: its time is not that of the work.
  if (timeline.shown.some(({ workstreamId, status }) => status === 'failed' && members.has(workstreamId)))
    return null;
  const enough = Math.max(1, Math.ceil(speed.oneAgentSeconds / chain));
  const fewer =
    enough < agentsCount
      ? ` ${plural(enough, 'agent')} can do this work in that time: \`millrace run -j ${enough}\`.`
      : '';
  const share = `${seconds(chain)} of the run's ${seconds(wall)}`;
  if (criticalPath.length === 1) {
    return `${nameSome([only])} alone took ${share}, and no number of agents shortens it: split it, for example by a \`matrix\`.${fewer}`;
  }
  const longest = timeline.shown
    .filter(({ workstreamId, durationSeconds }) => members.has(workstreamId) && durationSeconds !== null)
    .toSorted((a, b) => (b.durationSeconds ?? 0) - (a.durationSeconds ?? 0))[0];
  const member =
    longest === undefined
      ? 'its longest member'
      : `${nameSome([longest.workstreamId])} (${seconds(longest.durationSeconds)})`;
  return `The chain ${chainName(criticalPath)} took ${share}, and no number of agents shortens it: make ${member} faster or remove a dependency.${fewer}`;
}

/** The first and the last member, and the one between them if there is only one. */
function chainName(ids: string[]): string {
  if (ids.length <= 3) return ids.map((id) => nameSome([id])).join(' → ');
  return `${nameSome(ids.slice(0, 1))} → … → ${nameSome(ids.slice(-1))} (${plural(ids.length, 'workstream')})`;
}

/** There were more agents than workstreams. */
function idleAdvice({ agentsCount }: ExecutionSummary, { agents, run }: AdviceInput): string | null {
  const ran = run.totals.completed + run.totals.failed;
  const idle = agents.filter((agent) => agent.workstreams === 0).length;
  if (idle === 0 || ran === 0 || ran >= agentsCount) return null;
  return `${idle} of ${agentsCount} agents had nothing to do: \`millrace run -j ${agentsCount - idle}\` is enough for this work.`;
}

/** The agents were computing nearly all of the time, and there are cores left. */
function moreAgentsAdvice(summary: ExecutionSummary, { agents, run }: AdviceInput): string | null {
  const { speed, agentsCount, cores } = summary;
  const more = Math.min(cores, run.totals.completed + run.totals.failed);
  const used = speed.busySeconds / (agentsCount * speed.wallSeconds);
  const cpu = cpuShare(agents, speed.busySeconds);
  if (more <= agentsCount || used < BUSY || cpu === null || cpu < BUSY) return null;
  const best = Math.max(speed.criticalPathSeconds, speed.oneAgentSeconds / more);
  if (best > speed.wallSeconds * GAIN) return null;
  return `${plural(agentsCount, 'agent')} worked ${percent(used)} of the time, ${percent(cpu)} of that computing, and this machine has ${plural(cores, 'core')}: \`millrace run -j ${more}\` takes ${seconds(best)} instead of ${seconds(speed.wallSeconds)} at best.`;
}

/** CPU time of all threads in their busy time; null as soon as one is not known. */
function cpuShare(agents: AgentPerformance[], busy: number): number | null {
  let cpu = 0;
  for (const agent of agents) {
    if (agent.cpuSeconds === null) return null;
    cpu += agent.cpuSeconds;
  }
  return busy === 0 ? null : Math.min(1, cpu / busy);
}

function imbalanceAdvice(
  { distribution, speed }: ExecutionSummary,
  agents: AgentPerformance[],
): string | null {
  const sorted = agents.toSorted((a, b) => b.busySeconds - a.busySeconds);
  const most = sorted[0];
  const least = sorted.at(-1);
  if (distribution !== 'round-robin' || most === undefined || least === undefined) return null;
  if (least.busySeconds > most.busySeconds * BUSY || speed.limitSeconds > speed.wallSeconds * GAIN)
    return null;
  return `${most.agentId} worked ${seconds(most.busySeconds)} and ${least.agentId} ${seconds(least.busySeconds)} under round-robin distribution: \`millrace run --distribution dynamic\` takes ${seconds(speed.limitSeconds)} instead of ${seconds(speed.wallSeconds)} at best.`;
}
