import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../../command.ts';
import { folderOptions, formatOption, historyOption, jsonOption } from '../../options.ts';

const options = { ...historyOption, ...formatOption, state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('workstream', { describe: 'Id of a workstream; all of them without one', type: 'string' })
    .options(options)
    .example('$0 trends', 'What became slower or faster')
    .example('$0 trends ws-build', 'How long one took, run by run, and when that changed');

export type TrendsArguments = ArgumentsOf<typeof builder>;

export const trendsDefinition = {
  command: 'trends [workstream]',
  describe: 'Show how long workstreams take over runs, and what became slower or faster',
  options,
  builder,
};
