import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, runOptions } from '../options.ts';

const options = {
  counts: { type: 'string', describe: 'Numbers of agents to try (1,2,4,…)', requiresArg: true },
  repeat: {
    type: 'number',
    default: 3,
    describe: 'How often each is tried; the median counts',
    requiresArg: true,
  },
  seconds: {
    type: 'number',
    default: 20,
    describe: 'Work of the sample, in seconds of one agent',
    requiresArg: true,
  },
  save: {
    type: 'boolean',
    default: false,
    describe: 'Write the number into millrace.config.json, for this machine',
  },
  ...jsonOption,
  workspace: runOptions.workspace,
  cpus: runOptions.cpus,
  memory: runOptions.memory,
  workstreams: folderOptions.workstreams,
} as const;

const builder = (yargs: Argv) =>
  yargs
    .positional('id', {
      describe: 'Ids or globs of the workstreams to try, with what they depend on; all of them without one',
      type: 'string',
      array: true,
      default: [] as string[],
    })
    .options(options)
    .example('$0 tune', 'Try several numbers of agents, and recommend one')
    .example('$0 tune ws-test-* --counts 2,4,6,8 --save', 'Try these, and keep the best for this machine');

export type TuneArguments = ArgumentsOf<typeof builder>;

export const tuneDefinition = {
  command: 'tune [id..]',
  describe: 'Run workstreams on several numbers of agents, and recommend one',
  options,
  builder,
};
