import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { checkState, DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { removeDeadPlace } from '../../dashboard/beside.ts';
import { type Dashboard, type DashboardSettings, startDashboard } from '../../dashboard/server.ts';
import { isLoopback, LEAST_TOKEN, newToken, TOKEN_VARIABLE } from '../../dashboard/token.ts';
import { type EndSignal, exitCodeOf } from '../../os/end-signals.ts';
import { readRegular } from '../../os/regular-file.ts';
import { messageOf } from '../../text/error-message.ts';
import { DASHBOARD_PORT, type DashboardArguments } from '../commands/dashboard.ts';
import { openProblem } from '../open-page.ts';
import { notify, printText } from '../print.ts';
import { UsageError } from '../usage-error.ts';

const MOST_TOKEN_BYTES = 4_096;
const MOST_PORT = 65_535;

/** Serves the dashboard until a signal ends it. */
export async function dashboard(argv: DashboardArguments): Promise<number> {
  const { host, port } = argv;
  if (port !== undefined && !(Number.isSafeInteger(port) && port >= 0 && port <= MOST_PORT))
    throw new UsageError(`--port takes a whole number from 0 to ${MOST_PORT}.`);
  checkState(argv.state);
  if (argv.answers) {
    // What it loads is of no use to the dashboard itself.
    const { answerQuestions } = await import('../../dashboard/answering.ts');
    await answerQuestions(resolve(argv.state, DATABASE));
    return 0;
  }
  if (!argv.withParent) removeDeadPlace(argv.state);
  const own = ownToken(argv.tokenFile);
  if (own === null && !isLoopback(host))
    throw new Refusal(
      2,
      `--host ${host} lets other machines see the dashboard, so it needs a token of your own: --token-file FILE or ${TOKEN_VARIABLE}.`,
    );
  const token = own ?? newToken();
  const started = await start(
    { database: resolve(argv.state, DATABASE), host, token, metrics: argv.metrics },
    argv,
  );
  // From now on, as whoever reads the address may end it.
  const over = argv.withParent ? Promise.race([endSignal(), parentEnd()]) : endSignal();
  // The token is in the fragment, which no browser sends anywhere. One of the user's is not printed.
  const url = own === null ? `${started.address}/#token=${token}` : `${started.address}/`;
  const asks = own === null ? '' : 'It asks for your token.\n';
  await printText(`The dashboard is at ${url}\n${asks}To end it, press Ctrl-C.`);
  if (argv.open) await openIt(url);
  const end = await over;
  await started.close();
  return end === null ? 0 : exitCodeOf(end);
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

/** For how long it is tried again to listen where the dashboard of a process that died was, in milliseconds. */
const TAKEN_MS = 3_000;
const AGAIN_MS = 100;

/**
 * Listens on the port that was asked for, or else on a free one where none was asked for. @throws Refusal with exit code 3
 * where it can't listen there.
 */
async function start(
  settings: Omit<DashboardSettings, 'port'>,
  { port, withParent }: Pick<DashboardArguments, 'port' | 'withParent'>,
): Promise<Dashboard> {
  const deadline = performance.now() + (withParent ? TAKEN_MS : 0);
  for (;;) {
    try {
      return await startDashboard({ ...settings, port: port ?? DASHBOARD_PORT });
    } catch (error) {
      const where = `${settings.host}, port ${port ?? DASHBOARD_PORT}`;
      const advice = isTaken(error) ? '. Name another --port, or 0 for any that is free' : '';
      const why = `${messageOf(error)}${advice}`;
      const refusal = new Refusal(3, `The dashboard can't listen on ${where}: ${why}`, error);
      if (!isTaken(error)) throw refusal;
      if (performance.now() < deadline) await wait(AGAIN_MS);
      else if (port === undefined || withParent) return startDashboard({ ...settings, port: 0 });
      else throw refusal;
    }
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

/** For how long pages are sent the last of a run that has ended, in milliseconds. */
const LAST_MS = 1_000;

/** The end of the process that started this one, however it ends. */
const parentEnd = (): Promise<null> =>
  new Promise((resolve) => {
    process.once('disconnect', () => setTimeout(() => resolve(null), LAST_MS));
  });
