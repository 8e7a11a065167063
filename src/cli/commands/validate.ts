import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, runOptions } from '../options.ts';

const options = {
  strict: { type: 'boolean', default: false, describe: 'Count warnings as errors' },
  types: {
    type: 'boolean',
    default: false,
    describe: "Check the types of TypeScript modules with the project's own tsc",
  },
  ...jsonOption,
  workstreams: folderOptions.workstreams,
  tool: runOptions.tool,
  'best-of': runOptions['best-of'],
  workspace: runOptions.workspace,
} as const;

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 validate', 'Check ./workstreams')
    .example('$0 validate --strict', 'Fail on warnings too, as in CI')
    .example('$0 validate --types', "Check TypeScript modules too, with the project's own tsc")
    .example('$0 validate --workstreams jobs', 'Check another folder');

export type ValidateArguments = ArgumentsOf<typeof builder>;

export const validateDefinition = {
  command: 'validate',
  describe: 'Check every workstream file and print each problem with its place',
  options,
  builder,
};
