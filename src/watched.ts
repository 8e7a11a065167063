/** The entry of a run that another process watches over. */
import { main } from './cli/cli.ts';
import { openLink } from './watch/link.ts';

const link = openLink();
await main(process.argv.slice(2));
link.tell({ type: 'ended', exitCode: Number(process.exitCode ?? 0) });
