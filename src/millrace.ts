/** The bundle of the command: what its processes load, after `start.ts` or `watched.ts` has decided what they are. */
import { compileLate } from './os/v8-options.ts';
import { endProcess, openChannel } from './watch/channel.ts';
import { takeStreams } from './watch/streams.ts';

/** A command without a watcher. Sets `process.exitCode`. */
export async function runCommand(args: string[]): Promise<void> {
  const { main } = await import('./cli/cli.ts');
  await main(args);
}

/**
 * The process of a run, which a watcher has started.
 * @param onEnded called with the exit code, before the watcher gets it.
 */
export async function runWatched(args: string[], onEnded: (exitCode: number) => void): Promise<void> {
  // Its entry has done so too, with a copy of that module.
  compileLate();
  const channel = openChannel(takeStreams());
  // Imported now, because what it loads reads `process.stdout`.
  const { main } = await import('./cli/cli.ts');
  await main(args);
  // Code that is kept now is used by a process that does the same.
  compileLate();
  onEnded(Number(process.exitCode ?? 0));
  await endProcess(channel);
}
