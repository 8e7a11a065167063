import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, RUN_OR_LATEST } from '../options.ts';

const options = {
  follow: {
    alias: 'f',
    type: 'boolean' as const,
    default: false,
    describe: 'Print what is added until the workstream, or the run, has ended',
  },
  lines: { type: 'number' as const, requiresArg: true, describe: 'Begin with the last lines, so many' },
  attempt: {
    type: 'number' as const,
    requiresArg: true,
    describe: 'Number of an attempt; the last one without it',
  },
  run: { type: 'string' as const, describe: RUN_OR_LATEST, requiresArg: true },
  state: folderOptions.state,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('workstream', {
      describe: 'Id of a workstream; with --follow all without one',
      type: 'string',
    })
    .options(options)
    .example('$0 logs ws-api -f', 'Follow what it prints')
    .example('$0 logs -f', 'Follow what all workstreams of the run print');

export type LogsArguments = ArgumentsOf<typeof builder>;

export const logsDefinition = {
  command: 'logs [workstream]',
  describe: 'Print what a workstream printed, or follow all of a run',
  options,
  builder,
};
