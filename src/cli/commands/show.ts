import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, RUN_NAME } from '../options.ts';

const options = { state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_NAME, type: 'string', demandOption: true })
    .options(options)
    .example('$0 show latest', 'The latest run');

export type ShowArguments = ArgumentsOf<typeof builder>;

export const showDefinition = {
  command: 'show <run>',
  describe: 'Show one run: its totals and each of its workstreams',
  options,
  builder,
};
