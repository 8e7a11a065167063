/** The processes that one execution started, wherever they went, and how they are ended. */
import { realpathSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { nameSome } from '../text/format.ts';
import { groupIsAlive, signalGroup, signalProcess } from './process-group.ts';
import { isGone, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import {
  ancestors,
  childrenOf,
  commandOf,
  entryOf,
  folderOf,
  hasProcessTable,
  livingProcesses,
  type ProcessEntry,
  startedWith,
  startOf,
  variableOf,
} from './process-table.ts';

/** Variable that every process of an execution inherits, by which processes are found that left their group. */
export const MARK_VARIABLE = 'MILLRACE_EXECUTION';

const POLL_MS = 20;
/** How long SIGKILL is repeated, for processes that have not ended yet and for those started meanwhile. */
const KILL_MS = 2_000;
const KILL_AGAIN_MS = 200;

/** A process as it is named in messages. */
export interface NamedProcess {
  pid: number;
  command: string;
}

/** The result of ending processes. */
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
 * Knows the groups that were started, and on Linux finds the processes that left them: those with the mark in their
 * environment, and their descendants.
 *
 * A pid alone proves nothing, because pids are assigned again. On Linux a process counts as owned if
 * - it carries the mark,
 * - it was seen before and was started at the same moment as then,
 * - the thread waits for it,
 * - it descends from an owned process, or
 * - it is in a group that was started here: the group's leader exists and was started when it was, or another owned
 *   process is in the group.
 *
 * That is checked again right before a signal is sent. A process that cleared its environment, left its group and lost
 * its parent between two searches is not found. Elsewhere only processes in the groups are found.
 */
export class OwnedProcesses {
  /** The leaders of process groups that may be alive, with when each was started. */
  readonly #leaders = new Map<number, string | null>();
  readonly mark: string;
  /** When each process was started that was found before, by pid. */
  readonly #seen = new Map<number, string>();
  #spared: number | undefined;
  #thread: string | null = null;

  constructor(mark: string) {
    this.mark = mark;
  }

  /** Adds a group that was started. @param startedAt when its leader was; null where that is not known. */
  add(leader: number, startedAt: string | null): void {
    this.#leaders.set(leader, startedAt);
  }

  /** Forgets a group of which nothing is alive. Returns whether it was known. */
  forget(leader: number): boolean {
    return this.#leaders.delete(leader);
  }

  /** Adds a thread that waits for the processes that it starts: its children are owned, with or without the mark. */
  addThread(thread: string): void {
    this.#thread = thread;
  }

  /** Leaves out this process, but not its children: an agent that is a process carries the mark too. */
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

  /** Finds all that are alive, in their groups or elsewhere, and remembers them. */
  look(): void {
    this.#find('everywhere');
  }

  /**
   * Remembers the processes of a group whose leader has just ended. As long as one of them lives, the group's number is
   * not assigned again.
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
   * Ends all that are alive: SIGTERM, then SIGKILL for those that live after the grace or were started meanwhile. Takes at
   * most two seconds longer than the grace. To search everywhere takes some milliseconds.
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

  /** A group's number is not assigned again as long as a process is in the group, or its leader was not reaped. */
  #provenGroups(known: readonly ProcessEntry[]): Set<number> {
    const held = new Set(known.map(({ group }) => group));
    const proven = [...this.#leaders].filter(
      ([leader, startedAt]) => held.has(leader) || (startedAt !== null && startOf(leader) === startedAt),
    );
    return new Set(proven.map(([leader]) => leader));
  }

  /** A process that left its group is signalled with the group that it leads, never with one that it only joined. */
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

/** Whether it is alive and in its group, right now. */
function isStill({ pid, group, startedAt }: ProcessEntry): boolean {
  if (!hasProcessTable) return true;
  const now = entryOf(pid);
  return now !== null && now.startedAt === startedAt && now.group === group;
}

/** Those processes with all their descendants. */
function withDescendants(living: ProcessEntry[], ours: Iterable<ProcessEntry>): ProcessEntry[] {
  const found = new Set(ours);
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of living) {
    const siblings = children.get(entry.parent);
    if (siblings === undefined) children.set(entry.parent, [entry]);
    else siblings.push(entry);
  }
  // The iteration of a set includes what is added meanwhile.
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
 * The beginning of the marks of everything that a process starts for a run. It has the process and its start, because two
 * databases may have a run of the same id at the same time, and pids are assigned again.
 */
export function runMark(
  runId: string,
  { pid, started }: Pick<ProcessIdentity, 'pid' | 'started'> = own,
): string {
  return `${runId}/${pid}-${started ?? ''}/`;
}

const own = ownIdentity();

/** What was done about the processes that a run's process left when it was killed. */
export type LeftProcesses =
  | { kind: 'none' }
  | { kind: 'ended'; found: NamedProcess[]; left: NamedProcess[] }
  /** The environment of processes can't be read on this system. */
  | { kind: 'not-looked-for' }
  /** This process descends from one of them, and would end itself. */
  | { kind: 'above-us' };

/**
 * Ends the processes that a dead process had started for a run, in whatever group they are. They are found by the mark in
 * their environment, which has the run, the process and when that was started.
 * @param graceSeconds how long they have to end after SIGTERM.
 */
export async function endRemainingProcesses(
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

/**
 * The processes among these that may have been started by an execution in this folder, although nothing proves it: they
 * work in it, have lost their parent, and carry no mark. They must not be ended.
 */
export function straysAmong(pids: readonly number[], folder: string): NamedProcess[] {
  return straysAmongUnmarked(pids.filter(hasNoMark), folder);
}

/** The same for processes that are known to have no mark. */
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
    // The folder was removed.
    return null;
  }
}

/** The processes that adopt orphans: the first process, and the child of it that this process descends from. */
function adopters(): number[] {
  const [first = 1, second] = ancestors().toReversed();
  return second === undefined || second === process.pid || second === process.ppid
    ? [1, first]
    : [1, first, second];
}

const MAX_COMMAND = 100;

/** Sentences about the processes that a workstream left; empty where it left none. */
export function leftSentences({ found, left }: EndedProcesses): string[] {
  const sentences: string[] = [];
  if (found.length === 1) sentences.push(`It left a process running; it was ended: ${nameProcesses(found)}.`);
  else if (found.length > 1)
    sentences.push(`It left ${found.length} processes running; they were ended: ${nameProcesses(found)}.`);
  if (left.length > 0)
    sentences.push(`${left.length} of its processes could not be ended: ${nameProcesses(left)}.`);
  return sentences;
}

/** A sentence about processes that may be a workstream's own, although nothing proves it. They are not ended. */
export function straySentence(strays: readonly NamedProcess[]): string {
  return `It may have left running what nothing proves to be its own, with an environment that was cleared, so that it was not ended: ${nameProcesses(strays)}.`;
}

/** As many as fit into a sentence, each by its pid and command line. */
export function nameProcesses(processes: readonly NamedProcess[]): string {
  return nameSome(processes.map(({ pid, command }) => `${pid} (${cut(command)})`));
}

/** Between characters, not inside of one. */
function cut(command: string): string {
  const characters = Array.from(command);
  return characters.length > MAX_COMMAND ? `${characters.slice(0, MAX_COMMAND).join('')}…` : command;
}
