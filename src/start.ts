/** Starts the command line. A run is started in a process of its own, which this one watches over. */
import { fileURLToPath } from 'node:url';
import { isWatched } from './watch/is-watched.ts';
import { watch } from './watch/watch.ts';

const args = process.argv.slice(2);
if (!hasFolder()) {
  process.stderr.write(
    'millrace: The folder that it was started in is not there any more: it was removed or replaced. Change to it anew, or to another.\n',
  );
  process.exitCode = 2;
} else if (isWatched(args)) {
  process.exitCode = await watch(fileURLToPath(new URL('./watched.js', import.meta.url)), args);
  // Everything has been said, and a timer that waits for an answer is not needed any more.
  process.exit();
} else {
  const { main } = await import('./unwatched.ts');
  await main(args);
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
