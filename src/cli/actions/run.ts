import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { lookBack } from '../../app/comparison.ts';
import { MultiAgentWorkstreamCoordinator } from '../../app/multi-agent-workstream-coordinator.ts';
import { sendNotification, type Webhook, webhooksIn } from '../../app/notify.ts';
import { DASHBOARD_PLACE, DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { documentOf, type RunResult } from '../../app/run-document.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import { listenForSignals } from '../../os/end-signals.ts';
import { makeFolder } from '../../os/folder.ts';
import { writeRegular } from '../../os/regular-file.ts';
import { documentHead } from '../../report/document.ts';
import { reportFormat } from '../../report/formats.ts';
import { notificationOf } from '../../report/notification.ts';
import { reportFileName } from '../../report/write.ts';
import { MAX_TIME } from '../../run/attempt/outcome.ts';
import { environmentRedactor } from '../../secrets/find-secrets.ts';
import { consolidate } from '../../store/read/consolidate.ts';
import { getRun } from '../../store/read/runs.ts';
import { messageOf } from '../../text/error-message.ts';
import { nearest } from '../../text/nearest.ts';
import { currentChannel } from '../../watch/channel.ts';
import { askOnTerminal, hasKeyboard } from '../ask.ts';
import type { RunArguments } from '../commands/run.ts';
import { readProject } from '../config.ts';
import { commandNames } from '../definitions.ts';
import { reportToGithub } from '../github.ts';
import { continuationOptions, givenOptions } from '../given-options.ts';
import { withHistory, withRun } from '../history.ts';
import { checkOutputFile, forwardStrayOutput, STANDARD_OUTPUT } from '../output-file.ts';
import { openOutput, type RunOutput } from '../run-output.ts';
import { redactUncaught } from '../uncaught.ts';
import { UsageError } from '../usage-error.ts';
import { printPlan } from './plan.ts';
import { documentOfRun } from './report.ts';

const NOTHING_MATCHED = 4;

/** A person who leaves a run alone overnight closes the terminal. */
const HUNG_UP: RunEvent = {
  type: 'notice',
  level: 'warn',
  text: 'The terminal was closed. The run goes on; to end it, send SIGTERM to its process.',
  workstreamId: null,
};

/** Runs workstreams. The exit code says how it went; nothing but a whole success is 0. */
export async function run(argv: RunArguments): Promise<number> {
  const channel = currentChannel();
  const options = {
    ...givenOptions(argv, process.argv.slice(2)),
    logLevel: argv.logLevel,
    html: argv.html,
    label: argv.label ?? null,
  };
  const given = continuationOptions(options, channel?.continuation ?? null);
  if (argv.dryRun) return printPlan(given, argv.json ? 'json' : 'text');
  if (argv.ask && (argv.json || !hasKeyboard() || !process.stdout.isTTY)) {
    throw new Refusal(2, '--ask needs a terminal to ask on.');
  }
  checkOutputs(argv);
  const webhooks = webhooksIn(argv.notify);
  const project = await readProject(process.cwd());
  redactUncaught(environmentRedactor(project.redact));
  const output = await openOutput(argv);
  const over = channel?.continuation ? await endedAlready(argv, channel.continuation.runId) : null;
  if (over !== null) {
    await finish(argv, { output, webhooks }, over);
    await output.close(over.exitCode);
    return over.exitCode;
  }
  const ask = argv.ask ? askBetween(output) : null;
  const coordinator = new MultiAgentWorkstreamCoordinator({ ...given, project, ask });
  return runToEnd(argv, { coordinator, channel, output, webhooks });
}

interface RunContext {
  coordinator: MultiAgentWorkstreamCoordinator;
  /** To the watcher; null where there is none. */
  channel: ReturnType<typeof currentChannel>;
  output: RunOutput;
  webhooks: readonly Webhook[];
}

async function runToEnd(argv: RunArguments, context: RunContext): Promise<number> {
  const { coordinator, channel, output } = context;
  const endStray = subscribeAll(context);
  const stopListening = interruptOnSignals(argv, context);
  const endDashboard = await dashboardBeside(argv, (channel?.continuation ?? null) !== null, output);
  try {
    const exitCode = await coordinator.run();
    stopListening();
    if (exitCode === NOTHING_MATCHED) hintAtCommand(argv.id);
    await finish(argv, context, coordinator.result);
    await output.close(exitCode);
    return exitCode;
  } finally {
    endDashboard();
    stopListening();
    endStray();
    await output.close();
  }
}

/** Passes what happens in the run on to the watcher and the output. Returns what ends the reading of stray output. */
function subscribeAll({ coordinator, channel, output }: RunContext): () => void {
  const endStray = forwardStrayOutput(channel?.stray ?? null, (line) =>
    coordinator.warn(`Written past the logs of all workstreams: ${line}`),
  );
  // The end of the run is its last event.
  coordinator.subscribe(({ type }) => {
    if (type === 'run-ended') endStray();
  });
  // Before the output: who reads there that the run has started can count on its going on after a death.
  if (channel !== null) coordinator.subscribe(channel.listener);
  coordinator.subscribe(output);
  // `millrace stop` ends a run as a signal does: the watcher must not continue it.
  coordinator.subscribe((event) => {
    if (event.type === 'interrupting' && event.signal !== MAX_TIME)
      channel?.send({ type: 'interrupting', signal: event.signal });
  });
  return endStray;
}

/** Ends the run at a signal, or when the watcher dies. Returns what ends the listening. */
function interruptOnSignals({ ask }: RunArguments, { coordinator, channel, output }: RunContext): () => void {
  channel?.onAbandoned(() => coordinator.interrupt('SIGTERM'));
  return listenForSignals({
    ask: (signal) => {
      channel?.send({ type: 'interrupting', signal });
      coordinator.interrupt(signal);
    },
    insist: () => void coordinator.abandon(),
    hangUp: () => {
      if (ask) coordinator.interrupt('SIGHUP');
      else output.take([HUNG_UP]);
    },
  });
}

/** Starts it where it was asked for. Returns what ends it. */
async function dashboardBeside(
  { dashboard, state }: RunArguments,
  isContinued: boolean,
  output: RunOutput,
): Promise<() => void> {
  if (!dashboard && !existsSync(join(state, DASHBOARD_PLACE))) return () => undefined;
  const { removeDeadPlace, startBeside } = await import('../../dashboard/beside.ts');
  if (!dashboard) {
    removeDeadPlace(state);
    return () => undefined;
  }
  const tell = (level: 'info' | 'warn', text: string): void =>
    output.take([{ type: 'notice', level, text, workstreamId: null }]);
  return startBeside({ state, isContinued, tell });
}

/** @throws UsageError, before anything is run, for files that could not be written at its end. */
function checkOutputs({ json, junit, logFile }: RunArguments): void {
  if (logFile === STANDARD_OUTPUT)
    throw new UsageError(
      '--log-file takes a file. Where standard output is not a terminal, the log is written to it already.',
    );
  checkOutputFile('--log-file', logFile, { mayBeSpecial: true });
  if (junit !== STANDARD_OUTPUT) return checkOutputFile('--junit', junit, { mayBeSpecial: false });
  if (json) throw new UsageError('--json and --junit - both want standard output; give --junit a file.');
}

/** `millrace vaildate` asks for a workstream of that name; it is more likely to be a command. */
function hintAtCommand([first]: string[]): void {
  const meant = first === undefined ? null : nearest(first, commandNames);
  if (meant !== null) process.stderr.write(`millrace: Did you mean the command "${meant}"?\n`);
}

/** The result of a run whose process died after its end and before it was shown; null where the run has not ended. */
async function endedAlready(argv: RunArguments, runId: string): Promise<RunResult | null> {
  let found: RunResult | null = null;
  await withRun(argv.state, runId, async (connection, { state, executionSummary }) => {
    const consolidated = consolidate(connection, runId, join(argv.state, DATABASE));
    if (state !== 'ended' || consolidated === null || executionSummary === null) return 0;
    const { result, comparison } = lookBack(connection, consolidated);
    found = {
      runId,
      exitCode: executionSummary.exitCode,
      consolidated: result,
      comparison,
      reportPath: join(resolve(argv.reports), reportFileName(runId, 'md')),
      pagePath: argv.html ? join(resolve(argv.reports), reportFileName(runId, 'html')) : null,
      reportProblem: null,
      recordProblem: null,
      databasePath: resolve(argv.state, DATABASE),
    };
    return 0;
  });
  return found;
}

/** @throws Refusal with exit code 3 where the database does not have the run any more. */
async function finish(
  argv: RunArguments,
  { output, webhooks }: Pick<RunContext, 'output' | 'webhooks'>,
  result: RunResult | null,
): Promise<void> {
  if (result === null) return;
  const { consolidated, comparison } = result;
  const sent = sendNotification(
    webhooks,
    notificationOf(documentHead(consolidated, comparison), {
      exitCode: result.exitCode,
      report: result.reportPath,
      page: result.pagePath,
    }),
  );
  await withHistory(argv.state, async (connection) => {
    const stored = connection === null ? null : getRun(connection, result.runId);
    if (connection === null || stored === null) throw new Refusal(3, lostSentence(result));
    const source = argv.json
      ? documentOfRun(connection, stored.runId, argv.state)
      : documentOf(connection, { result: result.consolidated, comparison: result.comparison });
    const render = (format: string): Iterable<string> =>
      reportFormat(format)?.render(source, resolve(argv.reports)) ?? [];
    await output.end(result, render);
    if (argv.junit !== undefined && argv.junit !== STANDARD_OUTPUT)
      writeJunit(argv.junit, [...render('junit')].join(''));
    return 0;
  });
  reportToGithub(result.consolidated, process.env);
  for (const text of await sent) output.take([{ type: 'notice', level: 'warn', text, workstreamId: null }]);
}

function lostSentence({ runId, databasePath, reportPath }: RunResult): string {
  const report = reportPath === null ? '' : ` Its report is ${reportPath}.`;
  return `${runId} has ended and was recorded, but is not in ${databasePath} any more: the database was removed or replaced just now.${report}`;
}

/** The terminal shows either the progress or a question. */
function askBetween(output: RunOutput): typeof askOnTerminal {
  return async (workstream, signal) => {
    output.pause();
    try {
      return await askOnTerminal(workstream, signal);
    } finally {
      output.resume();
    }
  };
}

function writeJunit(path: string, text: string): void {
  try {
    makeFolder(dirname(path));
    writeRegular(path, text);
  } catch (error) {
    const why = messageOf(error);
    throw new Refusal(3, `The JUnit file ${path} could not be written: ${why}`, error);
  }
}
