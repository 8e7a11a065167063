/** The entry of a run's process, which a watcher has started. */
import { isatty } from 'node:tty';
import type * as Millrace from './millrace.ts';
import { Bundles } from './os/code-cache.ts';
import { compileLate, keepHeapOptionsHere } from './os/v8-options.ts';

// Code that V8 compiled fits only a V8 with the same options.
keepHeapOptionsHere();
compileLate();
// A terminal has the live view in the place of the log.
const bundles = new Bundles(isatty(1) ? 'terminal' : 'log');
const file = new URL('./cli.bundle.cjs', import.meta.url);
const { runWatched }: typeof Millrace = bundles.load(file, 'src/millrace.ts');
void runWatched(process.argv.slice(2), (exitCode) => {
  // A run in which nothing was executed has not needed most of it.
  if (exitCode === 0) bundles.keepCode();
});
