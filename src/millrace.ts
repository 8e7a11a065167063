/** The bundle of the command: what its processes load, after `start.ts` or `watched.ts` has decided what they are. */
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
  const channel = openChannel(takeStreams());
  // Imported now, because what it loads reads `process.stdout`.
  const { main } = await import('./cli/cli.ts');
  await main(args);
  onEnded(Number(process.exitCode ?? 0));
  await endProcess(channel);
}
