import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption } from '../options.ts';

const options = { workstreams: folderOptions.workstreams, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 validate', 'Check ./workstreams')
    .example('$0 validate --workstreams jobs', 'Check another folder');

export type ValidateArguments = ArgumentsOf<typeof builder>;

export const validateDefinition = {
  command: 'validate',
  describe: 'Check every workstream file and print each problem with its place',
  options,
  builder,
};
