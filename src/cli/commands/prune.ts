import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { dryRunOption, folderOptions, jsonOption } from '../options.ts';

const options = {
  'older-than': {
    type: 'string' as const,
    describe: 'Only what belongs to runs that ended longer ago: 12h, 30d; default: 30d without --keep',
    requiresArg: true,
  },
  keep: {
    type: 'number' as const,
    describe: 'Leave the newest N runs alone, whatever their age',
    requiresArg: true,
  },
  runs: { type: 'boolean' as const, default: false, describe: 'Remove the runs from the database as well' },
  ...dryRunOption('Only say what would be removed'),
  state: folderOptions.state,
  reports: folderOptions.reports,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 prune --dry-run', 'What runs older than 30 days left, and how large it is')
    .example('$0 prune --keep 20', 'Leave the newest 20 runs alone, prune all others');

export type PruneArguments = ArgumentsOf<typeof builder>;

export const pruneDefinition = {
  command: 'prune',
  describe: 'Remove logs, merged branches, worktrees, cached modules and outputs of old runs',
  options,
  builder,
};
