/** The processes that one execution started, wherever they went, and how they are ended. */
import { groupIsAlive, signalProcess } from './process-group.ts';
import { isLiving, livingProcesses, type ProcessEntry, startedWith } from './process-table.ts';

/** Variable that every process of an execution inherits, by which those are found that left their group. */
export const MARK_VARIABLE = 'MILLRACE_EXECUTION';

const POLL_MS = 20;
/** How long processes are signalled again that SIGKILL has not ended, or that were started meanwhile. */
const KILL_MS = 2_000;
const KILL_AGAIN_MS = 200;

export interface OwnedProcesses {
  /** Process groups, by their leaders. */
  leaders: ReadonlySet<number>;
  /** What `MILLRACE_EXECUTION` holds in processes that may have left the groups; null to look at the groups only. */
  mark: string | null;
}

/** What became of them. */
export interface EndedProcesses {
  /** Process groups that were alive. */
  groups: number;
  /** Processes that could not be ended. */
  left: number;
}

/**
 * The value of `MILLRACE_EXECUTION` for the processes of an execution. A run inside a workstream of another run adds
 * its own mark, so that both find what it started.
 */
export function markValue(mark: string): string {
  const outer = process.env[MARK_VARIABLE];
  return outer === undefined || outer === '' ? mark : `${outer}:${mark}`;
}

/** Signals all of them that are alive. */
export function signalOwned(owned: OwnedProcesses, signal: NodeJS.Signals): void {
  signalAll(owned, findLiving(owned), signal);
}

/**
 * Ends all of them: SIGTERM, and SIGKILL for those that are there after the grace or were started meanwhile.
 * Takes at most two seconds longer than the grace. Where there is no /proc, only groups are found.
 */
export async function endOwned(owned: OwnedProcesses, graceSeconds: number): Promise<EndedProcesses> {
  const found = findLiving(owned);
  if (found.length === 0) return { groups: 0, left: 0 };
  signalAll(owned, found, 'SIGTERM');
  await untilGone(found, graceSeconds * 1000);
  const deadline = performance.now() + KILL_MS;
  let left = findLiving(owned);
  while (left.length > 0 && performance.now() < deadline) {
    signalAll(owned, left, 'SIGKILL');
    await untilGone(left, KILL_AGAIN_MS);
    left = findLiving(owned);
  }
  return { groups: new Set(found.map(({ group }) => group)).size, left: left.length };
}

function findLiving({ leaders, mark }: OwnedProcesses): ProcessEntry[] {
  const groups = [...leaders].filter(groupIsAlive);
  if (process.platform !== 'linux') return groups.map((pid) => ({ pid, group: pid }));
  if (mark === null && groups.length === 0) return [];
  return [...livingProcesses()].filter(
    ({ pid, group }) =>
      pid !== process.pid && (leaders.has(group) || (mark !== null && startedWith(pid, MARK_VARIABLE, mark))),
  );
}

/** A process that left its group is signalled with the group it leads, but never with one that it only joined. */
function signalAll({ leaders }: OwnedProcesses, found: ProcessEntry[], signal: NodeJS.Signals): void {
  const targets = new Set(
    found.map(({ pid, group }) => (leaders.has(group) || group === pid ? -group : pid)),
  );
  for (const target of targets) signalProcess(target, signal);
}

async function untilGone(found: ProcessEntry[], milliseconds: number): Promise<void> {
  const isAlive = process.platform === 'linux' ? isLiving : groupIsAlive;
  const deadline = performance.now() + milliseconds;
  while (found.some(({ pid }) => isAlive(pid)) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
