/** The entry of a run that another process watches over. */
import { endProcess, openChannel } from './watch/channel.ts';
import { takeStreams } from './watch/streams.ts';

const link = openChannel(takeStreams());
// What it loads looks at the streams.
const { main } = await import('./cli/cli.ts');
await main(process.argv.slice(2));
await endProcess(link);
