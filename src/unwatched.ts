/** The entry of a command without a watcher. */
export { main } from './cli/cli.ts';
