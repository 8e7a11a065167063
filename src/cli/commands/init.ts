import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions } from '../options.ts';

const options = { workstreams: folderOptions.workstreams };

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 init', 'Make ./workstreams with a first workstream, then run it with: $0');

export type InitArguments = ArgumentsOf<typeof builder>;

export const initDefinition = {
  command: 'init',
  describe: 'Make a first workstream folder that runs',
  options,
  builder,
};
