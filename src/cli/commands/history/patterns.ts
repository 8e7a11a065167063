import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../../command.ts';
import { folderOptions, formatOption, jsonOption } from '../../options.ts';

const options = {
  stdin: {
    type: 'boolean' as const,
    default: false,
    describe: 'Reads messages from standard input, one a line, and groups them; no database is used',
  },
  ...formatOption,
  state: folderOptions.state,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 patterns', 'The error patterns of all runs: how often, since when, where')
    .example('$0 patterns --stdin < errors.txt', 'The patterns of these messages')
    .example('$0 patterns --stdin --json < errors.txt', 'For each message its pattern, as JSON');

export type PatternsArguments = ArgumentsOf<typeof builder>;

export const patternsDefinition = {
  command: 'patterns',
  describe: 'Show the error patterns of all runs, or group messages',
  options,
  builder,
};
