import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, RUN_OR_LATEST } from '../options.ts';

const options = { state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 status', 'In a second terminal while a run is under way');

export type StatusArguments = ArgumentsOf<typeof builder>;

export const statusDefinition = {
  command: 'status [run]',
  describe: 'Show a run that is under way, or how the latest one ended',
  options,
  builder,
};
