import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption } from '../options.ts';

const options = {
  limit: { type: 'number' as const, default: 20, describe: 'Number of runs to list', requiresArg: true },
  state: folderOptions.state,
  ...jsonOption,
};

const builder = (yargs: Argv) => yargs.options(options).example('$0 runs', 'The latest 20 runs');

export type RunsArguments = ArgumentsOf<typeof builder>;

export const runsDefinition = {
  command: 'runs',
  describe: 'List the runs, newest first',
  options,
  builder,
};
