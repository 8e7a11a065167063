/** The entry of a command that nobody watches over. */
export { main } from './cli/cli.ts';
