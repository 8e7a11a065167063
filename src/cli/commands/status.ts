import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption } from '../options.ts';

const options = { state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: 'Id of a run; the latest without one', type: 'string' })
    .options(options)
    .example('$0 status', 'In a second terminal while a run is under way');

export type StatusArguments = ArgumentsOf<typeof builder>;

export const statusDefinition = {
  command: 'status [run]',
  describe: 'Show a run that is under way, or how the latest one ended',
  options,
  builder,
};
