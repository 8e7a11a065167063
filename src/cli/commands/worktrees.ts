import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption } from '../options.ts';

const options = { state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('action', {
      choices: ['list', 'prune'] as const,
      default: 'list' as const,
      describe: 'Show them, or keep what is in those of runs that are over and remove them',
    })
    .options(options)
    .example('$0 worktrees', 'What runs left in this repository')
    .example(
      '$0 worktrees prune',
      'Commit and keep what is in them, then free the disk: a part of millrace prune',
    );

export type WorktreesArguments = ArgumentsOf<typeof builder>;

export const worktreesDefinition = {
  command: 'worktrees [action]',
  describe: 'List or remove the worktrees that runs left in this repository',
  options,
  builder,
};
