/** The child processes of one execution, whoever started them, and how they are ended. */
import { type EndedProcesses, OwnedProcesses } from '../src/support/owned-processes.ts';
import { groupIsAlive } from '../src/support/process-group.ts';

const TELL_MS = 50;

type Report = (type: 'process-started' | 'process-ended', pid: number) => void;

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

  constructor(mark: string, report: Report) {
    this.#owned = new OwnedProcesses(mark);
    this.#report = report;
  }

  started(pid: number): void {
    this.#owned.leaders.add(pid);
    this.#report('process-started', pid);
  }

  /** Forgets a group of which no process is left. */
  ended(pid: number): void {
    if (groupIsAlive(pid) || !this.#owned.leaders.delete(pid)) return;
    this.#tellEnd(pid);
  }

  /**
   * As `started`, for what the fork server ends should this thread die at once. The main thread is told of it when it
   * has run for a moment: most commands are short, and telling takes longer than they do.
   */
  launched(pid: number): void {
    this.#owned.leaders.add(pid);
    const timer = setTimeout(() => {
      this.#untold.delete(pid);
      this.#report('process-started', pid);
    }, TELL_MS);
    this.#untold.set(pid, timer.unref());
  }

  /** Nothing, where the main thread has not heard of it. */
  #tellEnd(pid: number): void {
    clearTimeout(this.#untold.get(pid));
    if (!this.#untold.delete(pid)) this.#report('process-ended', pid);
  }

  /**
   * Some may have moved to groups of their own, so that they are looked for among all processes when it ends. That
   * takes milliseconds, so it is not done after commands that end by themselves.
   */
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
    const result = await this.#owned.end(graceSeconds, this.#mayHaveLeft ? 'everywhere' : 'groups');
    for (const pid of this.#owned.leaders) this.#tellEnd(pid);
    this.#owned.leaders.clear();
    return result;
  }
}
