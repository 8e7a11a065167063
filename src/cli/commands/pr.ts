import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { dryRunOption, folderOptions, jsonOption, RUN_OR_LATEST } from '../options.ts';
import { placeOptions } from '../place-options.ts';

const options = {
  each: {
    type: 'boolean' as const,
    default: false,
    describe: 'A pull request of each workstream whose work was accepted; so without --one too',
  },
  one: {
    type: 'boolean' as const,
    default: false,
    describe: "One pull request of the run's own branch, into which accepted work was merged",
  },
  base: {
    type: 'string' as const,
    describe: 'Branch to merge into; default: the one that the run was started on, or that of the repository',
    requiresArg: true,
  },
  ...dryRunOption('Only say what would be opened; write nothing'),
  ...placeOptions,
  ...folderOptions,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 pr', 'Push the accepted work of the latest run and open pull requests, or update them')
    .example('$0 pr nightly --one', 'One pull request of all that the latest run of this label merged');

export type PrArguments = ArgumentsOf<typeof builder>;

export const prDefinition = {
  command: 'pr [run]',
  describe: 'Open or update pull requests of the accepted work of a run on GitHub',
  options,
  builder,
};
