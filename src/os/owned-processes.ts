/** The processes that one execution started, wherever they went, and how they are ended. */
import { nameSome } from '../text/format.ts';
import { groupIsAlive, signalGroup, signalProcess } from './process-group.ts';
import { isGone, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import {
  childrenOf,
  commandOf,
  entryOf,
  hasProcessTable,
  livingProcesses,
  type ProcessEntry,
  startedWith,
  startOf,
  ancestors,
  folderOf,
  variableOf,
} from './process-table.ts';
import { realpathSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Variable that every process of an execution inherits, by which those are found that left their group. */
export const MARK_VARIABLE = 'MILLRACE_EXECUTION';

const POLL_MS = 20;
/** How long SIGKILL is sent again, to what it has not ended yet and to what was started meanwhile. */
const KILL_MS = 2_000;
const KILL_AGAIN_MS = 200;

/** A process as a person is told of it. */
export interface NamedProcess {
  pid: number;
  command: string;
}

/** What became of them. */
export interface EndedProcesses {
  /** Those that were alive. */
  found: NamedProcess[];
  /** Those that could not be ended. */
  left: NamedProcess[];
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
 * environment, and the descendants of those, once they have been seen.
 *
 * A number alone proves nothing, because pids are given out again. On Linux a process counts as one of these if it
 * carries the mark, if it was seen before and was started at the same moment as then, if the thread waits for it, if it descends from one of them,
 * or if it is in a group that was started here: the group's leader is there and was started when it was, or another one
 * of these is in it. That is looked at again right before a signal is sent. A process that cleared its environment,
 * left its group and lost its parent before anyone looked is not found; nor is anything outside its group elsewhere.
 */
export class OwnedProcesses {
  /** The leaders of process groups that may be alive, with when each was started. */
  readonly #leaders = new Map<number, string | null>();
  readonly mark: string;
  /** When each process was started that a look has found, by pid. */
  readonly #seen = new Map<number, string>();
  #spared: number | undefined;
  #thread: string | null = null;

  constructor(mark: string) {
    this.mark = mark;
  }

  /** Takes a group that was started. Null where it is not known, or not yet, when its leader was started. */
  add(leader: number, startedAt: string | null): void {
    this.#leaders.set(leader, startedAt);
  }

  /** Forgets a group of which nothing is alive. Returns whether it was known. */
  forget(leader: number): boolean {
    return this.#leaders.delete(leader);
  }

  /** Takes a thread that waits for what it starts: its children are among these, whatever became of their mark. */
  addThread(thread: string): void {
    this.#thread = thread;
  }

  /** Leaves out this process, though not what it started: the agent itself carries the mark where it is a process. */
  spare(pid: number | undefined): void {
    this.#spared = pid;
  }

  /** The leaders of groups that may be alive. */
  get leaders(): number[] {
    return [...this.#leaders.keys()];
  }

  get hasGroups(): boolean {
    return this.#leaders.size > 0;
  }

  /** Finds all that are alive, wherever they are, and remembers them. */
  look(): void {
    this.#find('everywhere');
  }

  /**
   * Remembers what is left of a group whose leader has just ended. Its number is held by those that are left, so that
   * it can't be another one's.
   */
  outlived(leader: number): void {
    if (!hasProcessTable) return;
    for (const { pid, group, startedAt } of livingProcesses())
      if (group === leader) this.#seen.set(pid, startedAt);
  }

  /** Signals all that are alive. */
  signal(signal: NodeJS.Signals, where: 'everywhere' | 'groups' = 'everywhere'): void {
    this.#signal(this.#find(where), signal);
  }

  /**
   * Ends what is alive: SIGTERM, and SIGKILL for what is there after the grace or was started meanwhile. Takes at most
   * two seconds longer than the grace. To look everywhere takes some milliseconds.
   */
  async end(graceSeconds: number, where: 'everywhere' | 'groups'): Promise<EndedProcesses> {
    const first = this.#find(where);
    if (first.length === 0) return { found: [], left: [] };
    const found = first.map(named);
    this.#signal(first, 'SIGTERM');
    await untilGone(first, graceSeconds * 1000);
    const deadline = performance.now() + KILL_MS;
    let left = this.#find(where);
    while (left.length > 0 && performance.now() < deadline) {
      this.#signal(left, 'SIGKILL');
      await untilGone(left, KILL_AGAIN_MS);
      left = this.#find(where);
    }
    return { found, left: left.map(named) };
  }

  #find(where: 'everywhere' | 'groups'): ProcessEntry[] {
    if (!hasProcessTable) return this.#livingLeaders();
    if (where === 'groups' && this.#livingLeaders().length === 0) return [];
    const living = [...livingProcesses()].filter(({ pid }) => pid !== process.pid);
    const waitedFor = new Set(this.#thread === null || where === 'groups' ? [] : childrenOf(this.#thread));
    const known = living.filter((entry) => waitedFor.has(entry.pid) || this.#isKnown(entry, where));
    const groups = this.#provenGroups(known);
    const ours = new Set([...known, ...living.filter(({ group }) => groups.has(group))]);
    const found = where === 'groups' ? [...ours] : withDescendants(living, ours);
    for (const { pid, startedAt } of found) this.#seen.set(pid, startedAt);
    return found.filter(({ pid }) => pid !== this.#spared);
  }

  #livingLeaders(): ProcessEntry[] {
    return this.leaders
      .filter(groupIsAlive)
      .map((pid) => ({ pid, group: pid, parent: process.pid, startedAt: '' }));
  }

  #isKnown({ pid, group, startedAt }: ProcessEntry, where: 'everywhere' | 'groups'): boolean {
    if (where === 'groups' && !this.#leaders.has(group)) return false;
    return this.#seen.get(pid) === startedAt || startedWith(pid, MARK_VARIABLE, this.mark);
  }

  /** A group's number is not given to another process as long as one is in the group, or its leader was not reaped. */
  #provenGroups(known: readonly ProcessEntry[]): Set<number> {
    const held = new Set(known.map(({ group }) => group));
    const proven = [...this.#leaders].filter(
      ([leader, startedAt]) => held.has(leader) || (startedAt !== null && startOf(leader) === startedAt),
    );
    return new Set(proven.map(([leader]) => leader));
  }

  /** What left its group is signalled with the group that it leads, but never with one that it only joined. */
  #signal(found: ProcessEntry[], signal: NodeJS.Signals): void {
    const groups = new Set<number>();
    for (const entry of found) {
      const { pid, group } = entry;
      if (groups.has(group) || !isStill(entry)) continue;
      if (this.#leaders.has(group) || group === pid) {
        groups.add(group);
        signalGroup(group, signal);
      } else signalProcess(pid, signal);
    }
  }
}

/** Ends at once a group that was started here, if its leader is still the process that was started then. */
export function endGroup(leader: number, startedAt: string | null): void {
  if (!hasProcessTable || (startedAt !== null && startOf(leader) === startedAt))
    signalGroup(leader, 'SIGKILL');
}

const named = ({ pid }: ProcessEntry): NamedProcess => ({ pid, command: commandOf(pid) });

/** Whether it is there and in its group, right now. */
function isStill({ pid, group, startedAt }: ProcessEntry): boolean {
  if (!hasProcessTable) return true;
  const now = entryOf(pid);
  return now !== null && now.startedAt === startedAt && now.group === group;
}

/** Those, their children, the children of these and so on. */
function withDescendants(living: ProcessEntry[], ours: Iterable<ProcessEntry>): ProcessEntry[] {
  const found = new Set(ours);
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
  const isAlive = (entry: ProcessEntry): boolean =>
    hasProcessTable ? entryOf(entry.pid)?.startedAt === entry.startedAt : groupIsAlive(entry.pid);
  const deadline = performance.now() + milliseconds;
  while (found.some(isAlive) && performance.now() < deadline) {
    await pause(POLL_MS);
  }
}

/**
 * How the marks begin of everything that a process starts for a run. Two databases may have a run of the same id at
 * the same time, and pids are given out again: a process and its start tell them apart.
 */
export function runMark(
  runId: string,
  { pid, started }: Pick<ProcessIdentity, 'pid' | 'started'> = own,
): string {
  return `${runId}/${pid}-${started ?? ''}/`;
}

const own = ownIdentity();

/** What became of the processes that a run's process left when it was killed. */
export type LeftProcesses =
  | { kind: 'none' }
  | { kind: 'ended'; found: NamedProcess[]; left: NamedProcess[] }
  /** This system does not tell the environment of processes. */
  | { kind: 'not-looked-for' }
  /** This process was started by one of them, and would end itself. */
  | { kind: 'above-us' };

/**
 * Ends what a process that is dead had started for a run, wherever it went: found by the mark in its environment,
 * which names the run, the process and when that was started.
 * @param graceSeconds how long they get to end by themselves.
 */
export async function endLeftProcesses(
  runId: string,
  process: ProcessIdentity,
  graceSeconds: number,
): Promise<LeftProcesses> {
  if (!isGone(process)) return { kind: 'none' };
  if (!hasProcessTable || process.started === null) return { kind: 'not-looked-for' };
  const mark = runMark(runId, process);
  if (ancestors().some((pid) => startedWith(pid, MARK_VARIABLE, mark))) return { kind: 'above-us' };
  const { found, left } = await new OwnedProcesses(mark).end(graceSeconds, 'everywhere');
  return found.length === 0 ? { kind: 'none' } : { kind: 'ended', found, left };
}

/** Processes of which nothing proves whose they are. */

/**
 * Those of these processes that may have been started by what worked in this folder, although nothing proves it: they
 * work there too, have lost their parent, and carry no mark at all. That is no reason to end them.
 */
export function straysAmong(pids: readonly number[], folder: string): NamedProcess[] {
  return straysAmongUnmarked(pids.filter(hasNoMark), folder);
}

/** The same for processes that are known to carry no mark. */
export function straysAmongUnmarked(pids: readonly number[], folder: string): NamedProcess[] {
  if (pids.length === 0) return [];
  const real = realFolder(folder);
  const inFolder = real === null ? [] : pids.filter((pid) => isIn(folderOf(pid), real));
  if (inFolder.length === 0) return [];
  const parents = adopters();
  return inFolder
    .filter((pid) => parents.includes(entryOf(pid)?.parent ?? 0))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

const hasNoMark = (pid: number): boolean => variableOf(pid, MARK_VARIABLE) === undefined;

const isIn = (place: string | null, folder: string): boolean =>
  place !== null && (place === folder || place.startsWith(`${folder}/`));

function realFolder(folder: string): string | null {
  try {
    return realpathSync(folder);
  } catch {
    // It is gone, and whoever worked there with it.
    return null;
  }
}

/** Who gets the children of those that end: the first process, and what it started that we descend from. */
function adopters(): number[] {
  const [first = 1, second] = ancestors().toReversed();
  return second === undefined || second === process.pid || second === process.ppid
    ? [1, first]
    : [1, first, second];
}

const MAX_COMMAND = 100;

/** What a person is told of the processes that a workstream left; empty where it left none. */
export function leftSentences({ found, left }: EndedProcesses): string[] {
  const sentences: string[] = [];
  if (found.length === 1) sentences.push(`It left a process running; it was ended: ${nameProcesses(found)}.`);
  else if (found.length > 1)
    sentences.push(`It left ${found.length} processes running; they were ended: ${nameProcesses(found)}.`);
  if (left.length > 0)
    sentences.push(`${left.length} of its processes could not be ended: ${nameProcesses(left)}.`);
  return sentences;
}

/** What a person is told of processes of which nothing proves whose they are; they are not ended. */
export function straySentence(strays: readonly NamedProcess[]): string {
  return `It may have left running what nothing proves to be its own, with an environment that was cleared, so that it was not ended: ${nameProcesses(strays)}.`;
}

/** Each by its pid and command line, as many as fit in a sentence. */
export function nameProcesses(processes: readonly NamedProcess[]): string {
  return nameSome(processes.map(({ pid, command }) => `${pid} (${cut(command)})`));
}

/** Between characters, not inside of one. */
function cut(command: string): string {
  const characters = Array.from(command);
  return characters.length > MAX_COMMAND ? `${characters.slice(0, MAX_COMMAND).join('')}…` : command;
}
