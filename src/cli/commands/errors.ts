import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, formatOption, historyOption, jsonOption, RUN_OR_LATEST } from '../options.ts';

const options = {
  history: {
    type: 'string' as const,
    describe: 'How errors stand over many runs: all, or the pattern of this id, or the beginning of it',
  },
  ...historyOption,
  ...formatOption,
  state: folderOptions.state,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 errors', 'What went wrong in the latest run')
    .example('$0 errors --history', 'Since when, how often, and whether it is fixed')
    .example('$0 errors --history p-1a2b', 'The same of one pattern: its runs, workstreams and values');

export type ErrorsArguments = ArgumentsOf<typeof builder>;

export const errorsDefinition = {
  command: 'errors [run]',
  describe: 'Show the errors of a run, grouped',
  options,
  builder,
};
