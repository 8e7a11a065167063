import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, RUN_OR_LATEST } from '../options.ts';

const options = { state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 errors', 'What went wrong in the latest run');

export type ErrorsArguments = ArgumentsOf<typeof builder>;

export const errorsDefinition = {
  command: 'errors [run]',
  describe: 'Show the errors of a run, grouped',
  options,
  builder,
};
