/** The child processes of one execution, whoever started them, and how they are ended. */
import type { FromAgent } from '../src/domain/agent-message.ts';
import { type EndedProcesses, MARK_VARIABLE, OwnedProcesses } from '../src/support/owned-processes.ts';
import { groupIsAlive } from '../src/support/process-group.ts';
import { hasProcessTable, lastPid, pidExists, startedWith, startOf } from '../src/support/process-table.ts';
import { clearTimeout, setTimeout } from './own-globals.ts';

const TELL_MS = 50;
/** How many numbers are looked at one by one before it is cheaper to look through all processes. */
const FEW_PIDS = 100;

type Report = (
  message:
    | Omit<Extract<FromAgent, { type: 'process-started' }>, 'executionId'>
    | Omit<Extract<FromAgent, { type: 'process-ended' }>, 'executionId'>,
) => void;

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
  /** Everything that this execution started has a higher pid, as long as pids rise; null before it started anything. */
  #before: number | null = null;

  constructor(mark: string, report: Report) {
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
    this.#before ??= lastPid() ?? 0;
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

  /** Ends everything that is still alive: SIGTERM, then SIGKILL after the grace. */
  async endAll(graceSeconds: number): Promise<EndedProcesses> {
    const everywhere = this.#mayHaveLeft || this.#mayHaveMore();
    const result = await this.#owned.end(graceSeconds, everywhere ? 'everywhere' : 'groups');
    for (const pid of this.#owned.leaders) {
      this.#owned.forget(pid);
      this.#tellEnd(pid);
    }
    return result;
  }

  /**
   * Whether a process may be alive that left its group. To look through all processes takes a millisecond, most of a
   * short command's time, so the numbers decide first: what was started since has one between that of the first child
   * and the last one that was given, and few were given while a short command ran.
   */
  #mayHaveMore(): boolean {
    if (this.#before === null || !hasProcessTable) return false;
    const last = lastPid();
    if (last === null || last < this.#before || last - this.#before > FEW_PIDS) return true;
    for (let pid = this.#before + 1; pid <= last; pid += 1) {
      if (pidExists(pid) && startedWith(pid, MARK_VARIABLE, this.#owned.mark)) return true;
    }
    return false;
  }
}
