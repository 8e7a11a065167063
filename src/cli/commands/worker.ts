import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions, lastGiven } from '../options.ts';
import { queueOptions } from '../queue-options.ts';

const options = {
  ...queueOptions,
  agents: {
    alias: 'j',
    // No number for the parser: that of a run may be auto.
    coerce: (value: unknown): number => Number(lastGiven(value)),
    default: 3,
    describe: 'How many workstreams it executes at once',
    requiresArg: true,
  },
  'agent-memory': {
    type: 'number' as const,
    describe: "Limit of each agent's JavaScript heap in MB",
    requiresArg: true,
  },
  provides: {
    type: 'string' as const,
    describe: 'What workstreams may require of it: labels with commas between them',
    requiresArg: true,
  },
  name: { type: 'string' as const, describe: 'Its name; default: that of the machine', requiresArg: true },
  'drain-seconds': {
    type: 'string' as const,
    default: '10m',
    describe: 'How long it may finish what it has in hand after SIGTERM; then that goes to others',
    requiresArg: true,
  },
  'lease-seconds': {
    type: 'string' as const,
    default: '60',
    describe: 'How long others wait for a worker that gives no sign of life',
    requiresArg: true,
  },
  'log-level': {
    choices: ['debug', 'info', 'warn', 'error', 'silent'] as const,
    default: 'info' as const,
    describe: 'Least level of the lines of its log',
    requiresArg: true,
  },
  'log-format': {
    choices: ['json', 'text'] as const,
    default: 'json' as const,
    describe: 'Lines of its log as JSON, or for people',
    requiresArg: true,
  },
  state: folderOptions.state,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example(
      '$0 worker --queue rediss://redis.example.com --agents 16',
      'Lend 16 agents to runs with that --queue',
    );

export type WorkerArguments = ArgumentsOf<typeof builder>;

export const workerDefinition = {
  command: 'worker',
  describe: 'Lend the agents of this machine to runs with --queue on others',
  options,
  builder,
};
