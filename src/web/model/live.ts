/** What is said of a run while it is under way. */
import type { EstimateBasis, LiveState, ParkedTool, TimeEstimate } from '../../domain/dashboard/answers.ts';
import { agentParts, count, listed, oneLine, plural } from './format.ts';
import type { AgentNow, UnseenCounts } from './live-run.ts';
import type { Verdict } from './verdict.ts';

/** How long something takes, as exactly as an estimate is: "20 s", "12 min", "1 h 20 min". */
export function roughly(seconds: number): string {
  if (seconds < 55) return `${Math.max(5, Math.ceil(seconds / 5) * 5)}\u202fs`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes}\u202fmin`;
  const rounded = Math.round(minutes / 5) * 5;
  const hours = `${Math.floor(rounded / 60)}\u202fh`;
  return rounded % 60 === 0 ? hours : `${hours} ${rounded % 60}\u202fmin`;
}

export function liveVerdict(live: LiveState): Verdict {
  const { total, ended, estimate, failed, skipped, parked, running } = live;
  const sentences: string[] = [];
  const isWaiting = parked.length > 0 && running.length === 0;
  if (isWaiting)
    sentences.push(`Nothing runs until ${listed(parked.map(({ tool }) => oneLine(tool, 40)))} can go on.`);
  else if (estimate !== null) sentences.push(`${rangeOf(estimate)}, ${basisOf(estimate.basis)}.`);
  else if (total > 0 && ended < total)
    sentences.push('No estimate yet: too little is known of how long these take.');
  const bad = [
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(skipped > 0 ? [`${count(skipped)} ${skipped === 1 ? 'was' : 'were'} skipped`] : []),
  ];
  if (bad.length > 0) sentences.push(`${listed(bad)} so far; the run goes on all the same.`);
  const sentence =
    total === 0
      ? 'The run begins: its plan is being made.'
      : ended >= total
        ? `All ${count(total)} have ended; the run is being concluded.`
        : `${count(ended)} of ${count(total)} have ended${isWaiting ? '; the rest waits for a usage limit.' : estimate === null ? '.' : `; about ${roughly(estimate.seconds)} left.`}`;
  return { tone: 'running', sentence, more: sentences };
}

/** "Between 5 s and 20 s", "About 5 s" where both are the same. */
function rangeOf({ low, high }: TimeEstimate): string {
  const [least, most] = [roughly(low), roughly(high)];
  return least === most ? `About ${least}` : `Between ${least} and ${most}`;
}

/** What an estimate is made from, as a clause. */
function basisOf({ kind, known, of }: EstimateBasis): string {
  const took =
    kind === 'this-run'
      ? `the ${known < of ? 'last ' : ''}${plural(known, 'workstream')} took that have ended`
      : 'these took when they last completed';
  return `from how long ${took}, and how long those under way take already`;
}

/** In the window's title: what can be read in a tab. */
export function liveTitle({ ended, total, estimate, parked, running }: LiveState): string {
  const rest =
    parked.length > 0 && running.length === 0
      ? ' · waits for a usage limit'
      : estimate === null
        ? ''
        : ` · about ${roughly(estimate.seconds)} left`;
  return `◐ ${count(ended)} of ${count(total)}${rest}`;
}

/** The agents of each host, in their order; the host is null for those of the machine of the run. */
export function agentsByHost(agents: readonly AgentNow[]): { host: string | null; agents: AgentNow[] }[] {
  const hosts = new Map<string | null, AgentNow[]>();
  for (const agent of agents) {
    const { host } = agentParts(agent.agentId);
    const known = hosts.get(host);
    if (known === undefined) hosts.set(host, [agent]);
    else known.push(agent);
  }
  return [...hosts].map(([host, ofHost]) => ({ host, agents: ofHost }));
}

/** "3 more since you looked", "1 changed since you looked". */
export function unseenText({ more, changed }: UnseenCounts): string {
  const parts = [
    ...(more > 0 ? [`${count(more)} more`] : []),
    ...(changed > 0 ? [`${count(changed)} changed`] : []),
  ];
  return `${listed(parts)} since you looked`;
}

/** A countdown: "12:41", "1:02:03"; "now" when it is over. */
export function countdown(until: string, now: number): string {
  const seconds = Math.ceil((Date.parse(until) - now) / 1000);
  if (!(seconds > 0)) return 'now';
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds < 3600 ? minutes : `${Math.floor(seconds / 3600)}:${minutes}`;
}

export const parkedText = ({ tool, why }: ParkedTool): string => oneLine(`${tool} waits: ${why}`, 200);

/** "2 at work, 1 without work" */
export function agentsNote(agents: readonly AgentNow[], { waiting }: LiveState): string {
  const atWork = agents.filter(({ running }) => running !== null).length;
  const idle = agents.length - atWork;
  return [
    `${count(atWork)} at work`,
    ...(idle > 0 ? [`${count(idle)} without work`] : []),
    `${plural(waiting, 'workstream')} to come`,
  ].join(', ');
}
