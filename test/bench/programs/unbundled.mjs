// The command line from the modules as they were written, so that a profile names them.
import { main } from '../../../dist/src/cli/cli.js';

await main(process.argv.slice(2));
