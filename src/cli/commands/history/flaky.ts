import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../../command.ts';
import { folderOptions, formatOption, historyOption, jsonOption } from '../../options.ts';

const options = { ...historyOption, ...formatOption, state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs.options(options).example('$0 flaky', 'What fails by chance, how often, and by what that is known');

export type FlakyArguments = ArgumentsOf<typeof builder>;

export const flakyDefinition = {
  command: 'flaky',
  describe: 'Show what fails now and then although nothing was changed',
  options,
  builder,
};
