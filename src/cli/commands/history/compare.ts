import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../../command.ts';
import { folderOptions, formatOption, jsonOption } from '../../options.ts';

const options = { ...formatOption, state: folderOptions.state, ...jsonOption };

const builder = (yargs: Argv) =>
  yargs
    .positional('before', {
      describe: 'Run, or runs A..B; the one before the later that ran the same, without one',
      type: 'string',
    })
    .positional('after', { describe: 'Later run, or runs C..D; the latest without one', type: 'string' })
    .options(options)
    .example('$0 compare', 'What the latest run changed')
    .example('$0 compare nightly~1 nightly', 'The last two runs with this label')
    .example('$0 compare latest~9..latest~5 latest~4..latest', 'The last five runs with the five before')
    .epilogue(
      'Exit codes: 0 nothing new broke, 1 something did or failed again, 4 there is nothing to compare.',
    );

export type CompareArguments = ArgumentsOf<typeof builder>;

export const compareDefinition = {
  command: 'compare [before] [after]',
  describe: 'Compare a run with an earlier one: what broke, what was fixed, what takes longer',
  options,
  builder,
};
