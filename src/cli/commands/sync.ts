import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { dryRunOption, folderOptions, jsonOption } from '../options.ts';
import { placeOptions } from '../place-options.ts';

const options = {
  issues: {
    type: 'boolean' as const,
    default: false,
    describe: 'Also bring an issue of each workstream on GitHub to what it should say',
  },
  write: {
    type: 'boolean' as const,
    default: false,
    describe: 'With --issues: also write the numbers of new issues into the workstream files here',
  },
  ...dryRunOption('Only say what would be made; write nothing'),
  ...placeOptions,
  ...folderOptions,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 sync', 'Push a branch with a commit for each workstream file, to any remote')
    .example('$0 sync --issues', 'Also make or update an issue of each workstream on GitHub')
    .example('$0 sync --issues --dry-run', 'What that would change');

export type SyncArguments = ArgumentsOf<typeof builder>;

export const syncDefinition = {
  command: 'sync',
  describe: 'Bring workstream files to a branch of the remote, and to issues on GitHub',
  options,
  builder,
};
