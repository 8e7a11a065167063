/** The processes that one execution started, wherever they went, and how they are ended. */
import { groupIsAlive, signalProcess } from './process-group.ts';
import {
  hasProcessTable,
  isLiving,
  livingProcesses,
  type ProcessEntry,
  startedWith,
} from './process-table.ts';

/** Variable that every process of an execution inherits, by which those are found that left their group. */
export const MARK_VARIABLE = 'MILLRACE_EXECUTION';

const POLL_MS = 20;
/** How long SIGKILL is sent again, to what it has not ended yet and to what was started meanwhile. */
const KILL_MS = 2_000;
const KILL_AGAIN_MS = 200;

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

/**
 * Knows the groups that were started, and on Linux can look for what left them: processes that carry the mark in their
 * environment, and the descendants of those, once they have been seen. A process that cleared its environment, left
 * its group and lost its parent before anyone looked is not found; nor is anything outside its group elsewhere.
 */
export class OwnedProcesses {
  /** Process groups that may be alive, by their leaders. */
  readonly leaders = new Set<number>();
  readonly #mark: string;
  /** When each process was started that a look has found, by pid. */
  readonly #seen = new Map<number, string>();

  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Finds all that are alive, wherever they are, and remembers them. */
  look(): void {
    this.#find('everywhere');
  }

  /** Signals all that are alive, wherever they are. */
  signal(signal: NodeJS.Signals): void {
    this.#signal(this.#find('everywhere'), signal);
  }

  /**
   * Ends what is alive: SIGTERM, and SIGKILL for what is there after the grace or was started meanwhile. Takes at most
   * two seconds longer than the grace. To look everywhere takes some milliseconds.
   */
  async end(graceSeconds: number, where: 'everywhere' | 'groups'): Promise<EndedProcesses> {
    const found = this.#find(where);
    if (found.length === 0) return { groups: 0, left: 0 };
    this.#signal(found, 'SIGTERM');
    await untilGone(found, graceSeconds * 1000);
    const deadline = performance.now() + KILL_MS;
    let left = this.#find(where);
    while (left.length > 0 && performance.now() < deadline) {
      this.#signal(left, 'SIGKILL');
      await untilGone(left, KILL_AGAIN_MS);
      left = this.#find(where);
    }
    return { groups: new Set(found.map(({ group }) => group)).size, left: left.length };
  }

  #find(where: 'everywhere' | 'groups'): ProcessEntry[] {
    if (!hasProcessTable) return this.#livingLeaders();
    if (where === 'groups') {
      if (this.#livingLeaders().length === 0) return [];
      return [...livingProcesses()].filter(({ group }) => this.leaders.has(group));
    }
    const living = [...livingProcesses()].filter(({ pid }) => pid !== process.pid);
    const found = withDescendants(living, (entry) => this.#isOurs(entry));
    for (const { pid, startedAt } of found) this.#seen.set(pid, startedAt);
    return found;
  }

  #livingLeaders(): ProcessEntry[] {
    return [...this.leaders]
      .filter(groupIsAlive)
      .map((pid) => ({ pid, group: pid, parent: process.pid, startedAt: '' }));
  }

  #isOurs({ pid, group, startedAt }: ProcessEntry): boolean {
    return (
      this.leaders.has(group) ||
      this.#seen.get(pid) === startedAt ||
      startedWith(pid, MARK_VARIABLE, this.#mark)
    );
  }

  /** What left its group is signalled with the group that it leads, but never with one that it only joined. */
  #signal(found: ProcessEntry[], signal: NodeJS.Signals): void {
    const targets = found.map(({ pid, group }) => (this.leaders.has(group) || group === pid ? -group : pid));
    for (const target of new Set(targets)) signalProcess(target, signal);
  }
}

/** Those that `isOurs`, their children, the children of these and so on. */
function withDescendants(living: ProcessEntry[], isOurs: (entry: ProcessEntry) => boolean): ProcessEntry[] {
  const found = new Set(living.filter(isOurs));
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of living) {
    const siblings = children.get(entry.parent);
    if (siblings === undefined) children.set(entry.parent, [entry]);
    else siblings.push(entry);
  }
  // A set is walked in the order of insertion, what is added on the way included.
  for (const { pid } of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}

async function untilGone(found: ProcessEntry[], milliseconds: number): Promise<void> {
  const isAlive = hasProcessTable ? isLiving : groupIsAlive;
  const deadline = performance.now() + milliseconds;
  while (found.some(({ pid }) => isAlive(pid)) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
