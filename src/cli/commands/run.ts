import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import {
  folderOptions,
  jsonOption,
  labelOption,
  outputOptions,
  queueOptions,
  resumeOptions,
  runOptions,
  selectionOptions,
} from '../options.ts';

const options = {
  ...runOptions,
  ...queueOptions,
  ...labelOption,
  ...outputOptions,
  ...resumeOptions,
  ...selectionOptions,
  ...jsonOption,
  ...folderOptions,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('id', {
      describe: 'Ids or globs of the workstreams to run; all of them without one',
      type: 'string',
      array: true,
      default: [] as string[],
    })
    .options(options)
    .example('$0', 'Run all workstreams of ./workstreams on 3 agents')
    .example('$0 -j 8', 'The same on 8 agents')
    .example('$0 run ws-build ws-test-* --with-dependencies', 'Run some, and what they need')
    .example('$0 run -n', 'Show the plan and run nothing')
    .example('$0 run --resume', 'Go on with the run that was interrupted')
    .example('$0 run --retry-failed', 'Run again what failed')
    .example('$0 run --label nightly', 'A run that "$0 show nightly" shows, until the next')
    .example('$0 run | npx pino-pretty', 'Read the log');

export type RunArguments = ArgumentsOf<typeof builder>;

export const runDefinition = {
  command: ['run [id..]', '$0'],
  describe: 'Run workstreams, record the results and write the report',
  options,
  builder,
};
