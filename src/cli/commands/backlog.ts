import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, runOptions } from '../options.ts';

const options = {
  workstreams: folderOptions.workstreams,
  state: folderOptions.state,
  workspace: runOptions.workspace,
  tool: runOptions.tool,
  'best-of': runOptions['best-of'],
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 backlog', 'What is done, what is left, and what to do next, over all runs')
    .example('$0 backlog --json', 'The same for other programs');

export type BacklogArguments = ArgumentsOf<typeof builder>;

export const backlogDefinition = {
  command: 'backlog',
  describe: 'Show every workstream of the folder with its last verdict over all runs, and what to do next',
  options,
  builder,
};
