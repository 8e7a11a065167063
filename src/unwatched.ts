/** The entry of a command without a watcher. */

import type * as Millrace from './millrace.ts';
import { Bundles } from './os/code-cache.ts';
import { compileLate, keepYoungSpaceSmall } from './os/v8-options.ts';
import { OTHER_COMMANDS } from './watch/is-watched.ts';

/** After so long a command that stays has started. */
const STARTED_MS = 5_000;

const args = process.argv.slice(2);
// It stays, and waits most of the time: before anything is loaded, as the space would have grown by then.
if (args[0] === 'dashboard') {
  keepYoungSpaceSmall();
  compileLate();
}
const bundles = new Bundles(OTHER_COMMANDS.find((command) => command === args[0]) ?? 'help');
const file = new URL('./cli.bundle.cjs', import.meta.url);
const { runCommand }: typeof Millrace = bundles.load(file, 'src/millrace.ts');
// What stays has done by then what it does at each start. It may be killed, and has forgotten that code when it ends.
if (args[0] === 'dashboard' || args[0] === 'worker') setTimeout(() => bundles.keepCode(), STARTED_MS).unref();
// Help ends the process.
process.once('exit', (exitCode) => {
  if (exitCode === 0) bundles.keepCode();
});
void runCommand(args);
