import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, jsonOption, RUN_OR_LATEST } from '../options.ts';

const options = {
  format: {
    choices: ['table', 'csv', 'json'] as const,
    describe: 'Print a table, CSV (RFC 4180) or JSON; a table without it',
    requiresArg: true,
  },
  state: folderOptions.state,
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_OR_LATEST, type: 'string' })
    .options(options)
    .example('$0 results', 'Values, outputs and metrics of the latest run, a row a workstream')
    .example('$0 results --format csv > results.csv', 'The same for pandas, SQLite or a spreadsheet');

export type ResultsArguments = ArgumentsOf<typeof builder>;

export const resultsDefinition = {
  command: 'results [run]',
  describe: 'Show the values, outputs and metrics of a run as one table',
  options,
  builder,
};
