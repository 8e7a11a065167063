import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, queueOptions, resumeOptions, runOptions, selectionOptions } from '../options.ts';

const FORMATS = ['text', 'mermaid', 'dot', 'json'] as const;

const options = {
  format: { choices: FORMATS, default: 'text' as const, describe: 'How to print it', requiresArg: true },
  ...runOptions,
  ...queueOptions,
  ...resumeOptions,
  ...selectionOptions,
  ...folderOptions,
};

const builder = (yargs: Argv) =>
  yargs
    .positional('id', {
      describe: 'Ids or globs of the workstreams to plan; all of them without one',
      type: 'string',
      array: true,
      default: [] as string[],
    })
    .options(options)
    .example('$0 plan', 'Show waves, critical path and conflicts')
    .example('$0 plan --resume', 'What is left of the run that was interrupted')
    .example('$0 plan --format dot | dot -Tsvg > plan.svg', 'Draw the graph');

export type PlanArguments = ArgumentsOf<typeof builder>;

export const planDefinition = {
  command: 'plan [id..]',
  describe: 'Show what would run in which order, and run nothing',
  options,
  builder,
};
