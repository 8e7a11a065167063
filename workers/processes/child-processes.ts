/** The child processes of one execution, and how they are ended. */
import type { FromAgent } from '../../src/domain/agent-message.ts';
import {
  type EndedProcesses,
  MARK_VARIABLE,
  type NamedProcess,
  OwnedProcesses,
  straysAmongUnmarked,
} from '../../src/os/owned-processes.ts';
import { groupIsAlive } from '../../src/os/process-group.ts';
import {
  hasProcessTable,
  lastPid,
  livingProcesses,
  ownThread,
  pidExists,
  startOf,
  variableOf,
} from '../../src/os/process-table.ts';
import type { CommandUsage, LeftRunning } from './host-protocol.ts';

/** So many pids are checked one by one before it is cheaper to list all processes. */
const FEW_PIDS = 100;

type Without<Message> = Message extends unknown ? Omit<Message, 'executionId'> : never;
type Report = (
  message: Without<
    Extract<FromAgent, { type: 'process-started' | 'process-ended' | 'process-usage' | 'waits' }>
  >,
) => void;

export interface ChildProcessesOptions {
  /** In the environment of every process that the execution starts. */
  mark: string;
  /** The folder in which its commands run. */
  workspace: string;
  /** Whether the main thread is told what they use. */
  isMeasured: boolean;
}

/** A process, and the mark that it carries: undefined where it has none, null where that can't be read. */
interface Started {
  pid: number;
  mark: string | undefined | null;
}

/**
 * Tracks the process groups that an execution started and that may still be alive. Each child leads a group of its own,
 * so that its descendants are ended with it and a Ctrl-C in the terminal reaches only Millrace.
 */
export class ChildProcesses {
  readonly #owned: OwnedProcesses;
  readonly #report: Report;
  /** Those of which the main thread knows nothing yet. */
  readonly #unreported = new Set<number>();
  #mayHaveLeft = false;
  /** Whether the main thread knows in which thread this execution is. */
  #reportedThread = false;
  /** Everything that this execution started has a higher pid, as long as pids rise; null before it started anything. */
  #before: number | null = null;

  readonly #workspace: string;
  readonly #isMeasured: boolean;

  constructor({ mark, workspace, isMeasured }: ChildProcessesOptions, report: Report) {
    this.#workspace = workspace;
    this.#isMeasured = isMeasured;
    this.#owned = new OwnedProcesses(mark);
    this.#report = report;
  }

  started(pid: number): void {
    this.#add(pid);
    this.#reportStart(pid);
  }

  /**
   * As `started`, for what the command host ends should this thread die at once. It is reported to the main thread by
   * `reportLaunched`: most commands are short, and a report takes longer than they do. One that is measured is reported
   * at once.
   */
  launched(pid: number): void {
    this.#add(pid);
    if (this.#isMeasured) this.#reportStart(pid);
    else this.#unreported.add(pid);
  }

  /** Reports to the main thread what runs for longer than a moment. */
  reportLaunched(): void {
    for (const pid of this.#unreported) this.#reportStart(pid);
    this.#unreported.clear();
  }

  #add(pid: number): void {
    this.#before ??= pid - 1;
    this.#owned.add(pid, null);
  }

  #reportStart(pid: number): void {
    const startedAt = startOf(pid);
    this.#owned.add(pid, startedAt);
    this.#report({ type: 'process-started', pid, startedAt });
  }

  /**
   * As `ended`, also for what was too short to be `launched`. The command host says what it may have left, and what it
   * used, where that is known.
   */
  launchEnded(pid: number, left: LeftRunning, usage: CommandUsage | null): void {
    if (this.#isMeasured && usage !== null) this.#report({ type: 'process-usage', pid, ...usage });
    const isKnown = this.#owned.leaders.includes(pid);
    if (left !== 'nothing' && !isKnown) this.launched(pid);
    if (left === 'group') this.ended(pid);
    else if (this.#owned.forget(pid)) this.#reportEnd(pid);
  }

  /** Forgets a group of which no process is left. */
  ended(pid: number): void {
    if (groupIsAlive(pid)) this.#owned.outlived(pid);
    else if (this.#owned.forget(pid)) this.#reportEnd(pid);
  }

  /** Called before something that may start processes unseen, such as a function that waits for its child process. */
  mayStart(): void {
    if (this.#reportedThread) return;
    this.#reportedThread = true;
    this.#before ??= lastPid() ?? 0;
    const thread = ownThread();
    if (thread !== null) this.#report({ type: 'waits', thread });
  }

  /** Reports nothing where the start was not reported. */
  #reportEnd(pid: number): void {
    if (!this.#unreported.delete(pid)) this.#report({ type: 'process-ended', pid });
  }

  /** Has all processes searched at the end: some may have moved to groups of their own. */
  mayHaveLeftTheirGroups(): void {
    this.#mayHaveLeft = true;
  }

  /** Notes all that are alive, also those that left their groups, so that `endAll` finds them when the tie is lost. */
  look(): void {
    this.mayHaveLeftTheirGroups();
    this.#owned.look();
  }

  /** Signals all that are alive, also those that left their groups. */
  signalAll(signal: NodeJS.Signals): void {
    this.mayHaveLeftTheirGroups();
    this.#owned.signal(signal);
  }

  /** Whether it may have started any. */
  get mayBeAny(): boolean {
    return this.#mayHaveLeft || this.#before !== null || this.#owned.hasGroups;
  }

  /** Ends everything that is still alive: SIGTERM, then SIGKILL after the grace. */
  async endAll(graceSeconds: number): Promise<EndedProcesses & { strays: NamedProcess[] }> {
    const { mark, hasGroups } = this.#owned;
    const since = this.#mayHaveLeft || hasGroups ? null : this.#startedSince();
    const everywhere = since === null || since.some((started) => started.mark?.includes(mark) === true);
    const ended = await this.#owned.end(graceSeconds, everywhere ? 'everywhere' : 'groups');
    for (const pid of this.#owned.leaders) {
      this.#owned.forget(pid);
      this.#reportEnd(pid);
    }
    // While some were ended, others may have come.
    const now = since === null || everywhere ? this.#startedSince() : since;
    const unmarked = now.filter((started) => started.mark === undefined).map(({ pid }) => pid);
    return { ...ended, strays: straysAmongUnmarked(unmarked, this.#workspace) };
  }

  /**
   * All processes of the machine, and perhaps threads, that were started since the first of this execution. Listing all
   * processes takes a millisecond, most of a short command's time; but few pids are assigned while one runs, and those
   * are checked one by one.
   */
  #startedSince(): Started[] {
    return this.#pidsSince().map((pid) => ({ pid, mark: variableOf(pid, MARK_VARIABLE) }));
  }

  #pidsSince(): number[] {
    const before = this.#before;
    if (before === null || !hasProcessTable) return [];
    const last = lastPid();
    const hasTurned = last === null || last < before;
    if (hasTurned || last - before > FEW_PIDS) {
      const all = [...livingProcesses()].map(({ pid }) => pid);
      return hasTurned ? all : all.filter((pid) => pid > before);
    }
    return Array.from({ length: last - before }, (_, index) => before + 1 + index).filter(pidExists);
  }
}
