import type { Argv } from 'yargs';
import type { ArgumentsOf } from '../command.ts';
import { folderOptions } from '../options.ts';

/** Where the dashboard is when nobody says where. */
export const DASHBOARD_PORT = 4747;

const options = {
  port: {
    type: 'number' as const,
    describe: `Port to listen on, 0 for any; without it ${DASHBOARD_PORT}, or any where that is taken`,
    requiresArg: true,
  },
  host: {
    type: 'string' as const,
    default: '127.0.0.1',
    describe: 'Address to listen on; one that other machines reach needs a token of your own',
    requiresArg: true,
  },
  'token-file': {
    type: 'string' as const,
    describe:
      'File with the token; also the variable MILLRACE_DASHBOARD_TOKEN; without one it is made anew each time',
    requiresArg: true,
  },
  open: { type: 'boolean' as const, default: false, describe: 'Open it in the browser' },
  metrics: { type: 'boolean' as const, default: false, describe: 'Answer Prometheus at /metrics' },
  state: folderOptions.state,
  /** For `run --dashboard`. */
  'with-parent': { type: 'boolean' as const, default: false, hidden: true },
  /** For a dashboard's second process. */
  answers: { type: 'boolean' as const, default: false, hidden: true },
};

const builder = (yargs: Argv) =>
  yargs
    .options(options)
    .example('$0 dashboard', 'Every run of ./.state, those under way live')
    .example('$0 dashboard --open', 'The same, and open it in the browser')
    .example('$0 dashboard --host 0.0.0.0 --token-file token.txt', 'For other machines');

export type DashboardArguments = ArgumentsOf<typeof builder>;

export const dashboardDefinition = {
  command: 'dashboard',
  describe: 'Show all runs in the browser, and act on those under way',
  options,
  builder,
};
