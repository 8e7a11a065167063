import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { dryRunOption, folderOptions, jsonOption, RUN_OR_LATEST } from '../options.ts';
import { placeOptions } from '../place-options.ts';

const options = {
  anyone: {
    type: 'boolean' as const,
    default: false,
    describe: 'Take what anybody wrote, and not only what those did who may write to the repository',
  },
  ...dryRunOption('Only show it; keep nothing'),
  ...placeOptions,
  ...folderOptions,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 feedback', 'Keep failed checks and review comments for the next run of each workstream')
    .example('$0 feedback --dry-run', 'Show what its coding agent would be told');

export type FeedbackArguments = ArgumentsOf<typeof builder>;

export const feedbackDefinition = {
  command: 'feedback [run]',
  describe: 'Make what was said of the pull requests of a run the prompt of the next attempts',
  options,
  builder,
};
