/** The end of a run's process, which comes whatever its threads do. */
import { END_MS } from './protocol.ts';
import type { WatchChannel } from './channel.ts';

/**
 * Says the exit code once all that was printed has been read. From then on there is nothing to lose, so that a process
 * which does not end by itself is killed: Node waits for its threads, and one that is blocked in a system call or in
 * native code comes back when it likes. The process that watches kills it too, because no code runs in one that waits
 * in its own exit; this is for one that is not watched any more.
 */
export async function endProcess(link: WatchChannel): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await drained(stream);
  await link.end(Number(process.exitCode ?? 0));
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_MS).unref();
}

/** Resolves when everything has been written, or never can be. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.once('close', resolve);
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
