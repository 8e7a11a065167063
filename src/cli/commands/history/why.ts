import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../../command.ts';
import { folderOptions, formatOption, jsonOption, RUN_OR_LATEST } from '../../options.ts';

const options = { ...formatOption, state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('workstream', { describe: 'Id of the workstream', type: 'string', demandOption: true })
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 why ws-test', 'Why it was skipped, failed, or had to wait');

export type WhyArguments = ArgumentsOf<typeof builder>;

export const whyDefinition = {
  command: 'why <workstream> [run]',
  describe: 'Explain what became of a workstream: why it failed, was skipped, or had to wait',
  options,
  builder,
};
