import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, runOption } from '../options.ts';

const options = { ...runOption, state: folderOptions.state, ...jsonOption };

const stopBuilder = (yargs: Argv) =>
  yargs
    .positional('workstream', {
      describe: 'Ids or globs; the whole run without one',
      type: 'string',
      array: true,
      default: [],
    })
    .options(options)
    .example('$0 stop ws-slow', 'Stop one workstream; the run goes on')
    .example('$0 stop', 'End the run that is under way');

export type StopArguments = ArgumentsOf<typeof stopBuilder>;

export const stopDefinition = {
  command: 'stop [workstream...]',
  describe: 'Stop workstreams of a run under way, or the whole run as Ctrl-C does',
  options,
  builder: stopBuilder,
};

const retryBuilder = (yargs: Argv) =>
  yargs
    .positional('workstream', { describe: 'Ids or globs', type: 'string', array: true, default: [] })
    .options(options)
    .example('$0 retry ws-api', 'Open it again, with what was skipped for it');

export type RetryArguments = ArgumentsOf<typeof retryBuilder>;

export const retryDefinition = {
  command: 'retry [workstream...]',
  describe: 'Try failed workstreams again in a run that is under way',
  options,
  builder: retryBuilder,
};
