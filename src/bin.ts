#!/usr/bin/env node
/** Starts the command line. */
import { hideBin } from 'yargs/helpers';
import { main } from './cli/cli.ts';

await main(hideBin(process.argv));
