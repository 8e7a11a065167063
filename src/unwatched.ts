/** The entry of a command without a watcher. */

import type * as Millrace from './millrace.ts';
import { Bundles } from './os/code-cache.ts';
import { OTHER_COMMANDS } from './watch/is-watched.ts';

const args = process.argv.slice(2);
const bundles = new Bundles(OTHER_COMMANDS.find((command) => command === args[0]) ?? 'help');
const file = new URL('./cli.bundle.cjs', import.meta.url);
const { runCommand }: typeof Millrace = bundles.load(file, 'src/millrace.ts');
// Help ends the process.
process.once('exit', (exitCode) => {
  if (exitCode === 0) bundles.keepCode();
});
void runCommand(args);
