/** The child processes of one execution, whoever started them, and how they are ended. */
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
import { clearTimeout, setTimeout } from '../thread/own-globals.ts';

const TELL_MS = 50;
/** How many numbers are looked at one by one before it is cheaper to look through all processes. */
const FEW_PIDS = 100;

type Without<Message> = Message extends unknown ? Omit<Message, 'executionId'> : never;
type Report = (
  message: Without<Extract<FromAgent, { type: 'process-started' | 'process-ended' | 'waits' }>>,
) => void;

/** A process, and the mark that it carries: undefined where it has none, null where that can't be read. */
interface Started {
  pid: number;
  mark: string | undefined | null;
}

/**
 * Knows the process groups that an execution started and that may still be alive. Each child leads a group of its
 * own, so that its descendants are ended with it and a Ctrl-C in the terminal reaches only Millrace.
 */
export class ChildProcesses {
  readonly #owned: OwnedProcesses;
  readonly #report: Report;
  /** Those that the main thread will be told of, each with the timer for it. */
  readonly #untold = new Map<number, NodeJS.Timeout>();
  #mayHaveLeft = false;
  /** Whether the main thread knows in which thread this execution is. */
  #tellsThread = false;
  /** Everything that this execution started has a higher pid, as long as pids rise; null before it started anything. */
  #before: number | null = null;

  readonly #workspace: string;

  constructor(mark: string, workspace: string, report: Report) {
    this.#workspace = workspace;
    this.#owned = new OwnedProcesses(mark);
    this.#report = report;
  }

  started(pid: number): void {
    this.#began(pid);
    this.#tellStart(pid);
  }

  /**
   * As `started`, for what the fork server ends should this thread die at once. The main thread is told of it when it
   * has run for a moment: most commands are short, and telling takes longer than they do.
   */
  launched(pid: number): void {
    this.#began(pid);
    const timer = setTimeout(() => {
      this.#untold.delete(pid);
      this.#tellStart(pid);
    }, TELL_MS);
    this.#untold.set(pid, timer.unref());
  }

  #began(pid: number): void {
    this.#before ??= pid - 1;
    this.#owned.add(pid, null);
  }

  #tellStart(pid: number): void {
    const startedAt = startOf(pid);
    this.#owned.add(pid, startedAt);
    this.#report({ type: 'process-started', pid, startedAt });
  }

  /** Forgets a group of which no process is left. */
  ended(pid: number): void {
    if (groupIsAlive(pid)) this.#owned.outlived(pid);
    else if (this.#owned.forget(pid)) this.#tellEnd(pid);
  }

  /** Something is about to be started that may not be known here, as by a function that waits for its child process. */
  mayStart(): void {
    if (this.#tellsThread) return;
    this.#tellsThread = true;
    this.#before ??= lastPid() ?? 0;
    const thread = ownThread();
    if (thread !== null) this.#report({ type: 'waits', thread });
  }

  /** Nothing, where the main thread has not heard of it. */
  #tellEnd(pid: number): void {
    clearTimeout(this.#untold.get(pid));
    if (!this.#untold.delete(pid)) this.#report({ type: 'process-ended', pid });
  }

  /** Some may have moved to groups of their own, so that they are looked for among all processes when it ends. */
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

  /** Whether it may have started any, so that there is something to end or to tell of. */
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
      this.#tellEnd(pid);
    }
    // While some were ended, others may have come.
    const now = since === null || everywhere ? this.#startedSince() : since;
    const unmarked = now.filter((started) => started.mark === undefined).map(({ pid }) => pid);
    return { ...ended, strays: straysAmongUnmarked(unmarked, this.#workspace) };
  }

  /**
   * The processes, and threads perhaps, that were started since the first of this execution, whoever started them. To
   * look through all of them takes a millisecond, most of a short command's time; but few numbers are given while one
   * runs, and those are looked at one by one.
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
