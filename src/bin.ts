#!/usr/bin/env node
/** Starts the command line. A run is started in a process of its own, which this one watches over. */
import { fileURLToPath } from 'node:url';
import { isWatched } from './watch/is-watched.ts';
import { watch } from './watch/watch.ts';

const args = process.argv.slice(2);
if (isWatched(args)) {
  process.exitCode = await watch(fileURLToPath(new URL('./watched.js', import.meta.url)), args);
  // Everything has been said, and a timer that waits for an answer is not needed any more.
  process.exit();
} else {
  const { main } = await import('./unwatched.ts');
  await main(args);
}
