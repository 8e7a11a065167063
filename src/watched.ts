/** The entry of a run's process, which a watcher has started. */
import { endProcess, openChannel } from './watch/channel.ts';
import { takeStreams } from './watch/streams.ts';

const channel = openChannel(takeStreams());
// Imported now, because what it loads reads `process.stdout`.
const { main } = await import('./cli/cli.ts');
await main(process.argv.slice(2));
await endProcess(channel);
