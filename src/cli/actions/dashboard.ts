import { resolve } from 'node:path';
import { checkState, DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { isLoopback, LEAST_TOKEN, newToken } from '../../dashboard/access.ts';
import { type Dashboard, type DashboardSettings, startDashboard } from '../../dashboard/server.ts';
import { type EndSignal, exitCodeOf } from '../../os/end-signals.ts';
import { readRegular } from '../../os/regular-file.ts';
import { messageOf } from '../../text/error-message.ts';
import { DASHBOARD_PORT, type DashboardArguments } from '../commands/dashboard.ts';
import { openProblem } from '../open-page.ts';
import { notify, printText } from '../print.ts';
import { UsageError } from '../usage-error.ts';

const TOKEN_VARIABLE = 'MILLRACE_DASHBOARD_TOKEN';
const MOST_TOKEN_BYTES = 4_096;
const MOST_PORT = 65_535;

/** Serves the dashboard until a signal ends it. */
export async function dashboard(argv: DashboardArguments): Promise<number> {
  const { host, port } = argv;
  if (port !== undefined && !(Number.isSafeInteger(port) && port >= 0 && port <= MOST_PORT))
    throw new UsageError(`--port takes a whole number from 0 to ${MOST_PORT}.`);
  checkState(argv.state);
  const own = ownToken(argv.tokenFile);
  if (own === null && !isLoopback(host))
    throw new Refusal(
      2,
      `--host ${host} lets other machines see the dashboard, so it needs a token of your own: --token-file FILE or ${TOKEN_VARIABLE}.`,
    );
  const token = own ?? newToken();
  const started = await start(
    { database: resolve(argv.state, DATABASE), host, token, metrics: argv.metrics },
    port,
  );
  // The token is in the fragment, which no browser sends anywhere. One of the user's is not printed.
  const url = own === null ? `${started.address}/#token=${token}` : `${started.address}/`;
  await printText(`The dashboard is at ${url}\nTo end it, press Ctrl-C.`);
  if (argv.open) await openIt(url);
  const signal = await endSignal();
  await started.close();
  return exitCodeOf(signal);
}

/** The token that the user gives; null for none. @throws Refusal with exit code 2 for one that can be guessed. */
function ownToken(file: string | undefined): string | null {
  const given = file === undefined ? (process.env[TOKEN_VARIABLE] ?? null) : readToken(file);
  if (given === null) return null;
  const from = file === undefined ? TOKEN_VARIABLE : `--token-file ${file}`;
  if (given.length < LEAST_TOKEN || !/^[\w.~+/=-]+$/.test(given))
    throw new Refusal(
      2,
      `${from}: a token has at least ${LEAST_TOKEN} letters, digits and . _ ~ + / = -, such as those of: openssl rand -hex 32`,
    );
  return given;
}

function readToken(file: string): string {
  try {
    return readRegular(file, MOST_TOKEN_BYTES).toString().trim();
  } catch (error) {
    throw new Refusal(2, `--token-file ${file} can't be read: ${messageOf(error)}`, error);
  }
}

/** @throws Refusal with exit code 3 where it can't listen there. */
async function start(
  settings: Omit<DashboardSettings, 'port'>,
  port: number | undefined,
): Promise<Dashboard> {
  try {
    return await startDashboard({ ...settings, port: port ?? DASHBOARD_PORT });
  } catch (error) {
    if (port === undefined && isTaken(error)) return start(settings, 0);
    const where = `${settings.host}, port ${port ?? DASHBOARD_PORT}`;
    throw new Refusal(3, `The dashboard can't listen on ${where}: ${messageOf(error)}`, error);
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

async function openIt(url: string): Promise<void> {
  const problem = await openProblem(url);
  if (problem !== null) notify(`The browser could not be opened: ${problem}`);
}

const endSignal = (): Promise<EndSignal> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
