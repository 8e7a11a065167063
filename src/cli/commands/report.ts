import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, RUN_NAME } from '../options.ts';

const FORMATS = ['md', 'html', 'json', 'junit'] as const;

const options = {
  format: {
    choices: FORMATS,
    describe: 'Print it in this format; without one the Markdown file and the HTML page are written again',
    requiresArg: true,
  },
  open: {
    type: 'boolean' as const,
    default: false,
    describe: 'Open the page in the browser after that',
  },
  state: folderOptions.state,
  reports: folderOptions.reports,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { describe: RUN_NAME, type: 'string', demandOption: true })
    .options(options)
    .example('$0 report latest', 'Write the report and the page again')
    .example('$0 report latest --open', 'The same, and open the page in the browser')
    .example('$0 report latest --format junit > results.xml', 'Print it for a CI server');

export type ReportArguments = ArgumentsOf<typeof builder>;

export const reportDefinition = {
  command: 'report <run>',
  describe: "Write or print a run's report again",
  options,
  builder,
};
