import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, RUN_OR_LATEST } from '../options.ts';

const options = { state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 agents', 'Who did how much in the latest run');

export type AgentsArguments = ArgumentsOf<typeof builder>;

export const agentsDefinition = {
  command: 'agents [run]',
  describe: 'Compare the agents of a run',
  options,
  builder,
};
