/** The child processes of one execution, whoever started them, and how they are ended. */
import { type EndedProcesses, OwnedProcesses } from '../src/support/owned-processes.ts';
import { groupIsAlive } from '../src/support/process-group.ts';

type Report = (type: 'process-started' | 'process-ended', pid: number) => void;

/**
 * Knows the process groups that an execution started and that may still be alive. Each child leads a group of its
 * own, so that its descendants are ended with it and a Ctrl-C in the terminal reaches only Millrace.
 */
export class ChildProcesses {
  /** Variables that each of them gets. */
  readonly environment: Record<string, string>;
  readonly #owned: OwnedProcesses;
  readonly #report: Report;
  #mayHaveLeft = false;

  constructor(environment: Record<string, string>, mark: string, report: Report) {
    this.environment = environment;
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
    this.#report('process-ended', pid);
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
    for (const pid of this.#owned.leaders) this.#report('process-ended', pid);
    this.#owned.leaders.clear();
    return result;
  }
}
