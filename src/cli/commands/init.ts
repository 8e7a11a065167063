import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions } from '../options.ts';
import { placeOptions } from '../place-options.ts';

const options = {
  workstreams: folderOptions.workstreams,
  'from-issues': {
    type: 'string' as const,
    describe: 'Make a workstream of each issue on GitHub that matches, such as label:agent-ready',
    requiresArg: true,
  },
  tool: {
    type: 'string' as const,
    describe: 'With --from-issues: the coding agent that is to do them',
    requiresArg: true,
  },
  ...placeOptions,
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 init', 'Make ./workstreams with a first workstream, then run it with: $0')
    .example('$0 init --from-issues "label:agent-ready" --tool claude', 'Make workstreams of issues');

export type InitArguments = ArgumentsOf<typeof builder>;

export const initDefinition = {
  command: 'init',
  describe: 'Make a first workstream folder that runs, or workstreams of issues on GitHub',
  options,
  builder,
};
