/** The entry of a run that another process watches over. */
import { main } from './cli/cli.ts';
import { openLink } from './watch/link.ts';
import { endProcess } from './watch/end-process.ts';

const link = openLink();
await main(process.argv.slice(2));
await endProcess(link);
