import { isVital } from '../src/support/process-group.ts';
import type { AgentHost } from './agent-host.ts';

/**
 * From now on code of this place can't signal what it runs in: the process of the run, which is that of every thread,
 * its process group, and what they descend from. An agent that is a process may end itself. It is an error that the
 * code gets to see, as `process.chdir` and `process.abort` are in a thread; its child processes are not kept from it.
 */
export function guardMillrace(place: AgentHost['place']): void {
  const kill = process.kill.bind(process);
  const isOwn = (target: number): boolean =>
    place === 'process' && [0, process.pid, -process.pid].includes(target);
  process.kill = (pid, signal) => {
    const target = Number(pid);
    if (signal !== 0 && Number.isInteger(target) && isVital(target) && !isOwn(target)) {
      throw new Error(
        `process.kill(${target}, ${JSON.stringify(signal ?? 'SIGTERM')}) was refused: what has that number runs Millrace, and with it all workstreams. To fail a workstream, throw an error.`,
      );
    }
    return kill(pid, signal);
  };
}
