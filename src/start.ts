/** Starts the command line. A run is started in a process of its own, which this one watches over. */
import { fileURLToPath } from 'node:url';
import { LEAST_FILES, openFilesLimit } from './os/open-files.ts';
import { isWatched } from './watch/is-watched.ts';
import { watch } from './watch/watch.ts';

const args = process.argv.slice(2);
const obstacle = findObstacle();
if (obstacle !== null) {
  process.stderr.write(`millrace: ${obstacle}\n`);
  process.exitCode = 2;
} else if (isWatched(args)) {
  process.exitCode = await watch(fileURLToPath(new URL('./watched.js', import.meta.url)), args);
  // Everything has been said, and a timer that waits for an answer is not needed any more.
  process.exit();
} else {
  const { main } = await import('./unwatched.ts');
  await main(args);
}

/** What keeps anything from being loaded or found; null where nothing does. */
function findObstacle(): string | null {
  if (!hasFolder()) {
    return 'The folder that it was started in is not there any more: it was removed or replaced. Change to it anew, or to another.';
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
    // What it throws says no more than that.
    return false;
  }
}
