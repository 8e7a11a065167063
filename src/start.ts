/** Starts the command line. A run is started in a process of its own, which this one watches over. */
import { fileURLToPath } from 'node:url';
import { LEAST_FILES, openFilesLimit } from './os/open-files.ts';
import { isWatched } from './watch/is-watched.ts';
import { watch } from './watch/watch.ts';

void start(process.argv.slice(2));

async function start(args: string[]): Promise<void> {
  const obstacle = findObstacle();
  if (obstacle !== null) {
    process.stderr.write(`millrace: ${obstacle}\n`);
    process.exitCode = 2;
  } else if (isWatched(args)) {
    process.exitCode = await watch(fileURLToPath(new URL('./watched.cjs', import.meta.url)), args);
    // Everything was printed; a timer that still waits for an answer is not needed.
    process.exit();
  } else {
    await import('./unwatched.ts');
  }
}

/** Why nothing could be loaded or found; null where it can. */
function findObstacle(): string | null {
  if (!hasFolder()) {
    return 'The folder that it was started in does not exist any more: it was removed or replaced. Change to the folder again, or to another one.';
  }
  const files = openFilesLimit();
  if (files === null || files >= LEAST_FILES) return null;
  return `A process may have only ${files} files open at once here, and Millrace needs ${LEAST_FILES}. Raise the limit, for example with: ulimit -n 1024`;
}

/** Whether there is still a folder at the path of the one that this process is in. */
function hasFolder(): boolean {
  try {
    process.cwd();
    return true;
  } catch {
    // The error has no further information.
    return false;
  }
}
