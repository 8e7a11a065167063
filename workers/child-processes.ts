/** The child processes of one execution, whoever started them, and how they are ended. */
import { groupIsAlive, signalGroup } from '../src/support/process-group.ts';

type Report = (type: 'process-started' | 'process-ended', pid: number) => void;

const POLL_MS = 20;

/**
 * Knows the process groups that an execution started and that may still be alive. Each child leads a group of its
 * own, so that its descendants are ended with it and a Ctrl-C in the terminal reaches only Millrace.
 */
export class ChildProcesses {
  readonly environment: Record<string, string>;
  readonly #report: Report;
  readonly #leaders = new Set<number>();

  constructor(environment: Record<string, string>, report: Report) {
    this.environment = environment;
    this.#report = report;
  }

  started(pid: number): void {
    this.#leaders.add(pid);
    this.#report('process-started', pid);
  }

  /** Forgets a group of which no process is left. */
  ended(pid: number): void {
    if (groupIsAlive(pid) || !this.#leaders.delete(pid)) return;
    this.#report('process-ended', pid);
  }

  /** Ends every group that is still alive: SIGTERM, then SIGKILL after the grace. Gives their number. */
  async endAll(graceSeconds: number): Promise<number> {
    const alive = [...this.#leaders].filter(groupIsAlive);
    for (const pid of alive) signalGroup(pid, 'SIGTERM');
    const deadline = performance.now() + graceSeconds * 1000;
    while (alive.some(groupIsAlive) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    for (const pid of this.#leaders) {
      signalGroup(pid, 'SIGKILL');
      this.#report('process-ended', pid);
    }
    this.#leaders.clear();
    return alive.length;
  }
}
