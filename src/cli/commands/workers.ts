import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { jsonOption } from '../options.ts';
import { queueOptions } from '../queue-options.ts';

const options = {
  ...queueOptions,
  prune: {
    type: 'string' as const,
    describe: 'Remove from Redis what runs left that nobody has gone on with for so long: 12h, 7d',
    requiresArg: true,
  },
  ...jsonOption,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 workers --queue rediss://redis.example.com', 'Who lends agents, and what they have in hand');

export type WorkersArguments = ArgumentsOf<typeof builder>;

export const workersDefinition = {
  command: 'workers',
  describe: 'Show the workers of a queue and what they have in hand',
  options,
  builder,
};
