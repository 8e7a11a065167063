/** Runs a tool step: starts a coding agent with its prompt, reads what it prints, and judges what it reports. */
import { randomUUID } from 'node:crypto';
import type { Failure } from '../../src/domain/failure.ts';
import { describeFailure, describeObstacle } from '../../src/domain/failure-message.ts';
import { containingOf } from '../../src/domain/policy/containing.ts';
import type { ToolSettings, UsageLimit } from '../../src/domain/tool.ts';
import type { ToolStep } from '../../src/domain/workstream.ts';
import type { Containment } from '../../src/os/bubblewrap.ts';
import { redactPath } from '../../src/secrets/redact-file.ts';
import { isCommand } from '../acceptance/classify.ts';
import type { Execution } from '../execution.ts';
import type { Command } from '../processes/command.ts';
import { builtInOf, contained } from '../processes/contained.ts';
import { badFolder, limitFailure } from '../processes/process.ts';
import { findFile, findProgram, whyNotExecutable } from '../processes/program-file.ts';
import { containmentFailure } from '../processes/sandbox.ts';
import { notStarted, startFailure } from '../processes/start-failure.ts';
import { runToolProcess, type ToolProcessEnd } from '../processes/tool-process.ts';
import type { StopSignal } from '../thread/stop-signal.ts';
import { buildPrompt } from '../tools/prompt.ts';
import { loadAdapter } from '../tools/registry.ts';
import { makeToolReport } from '../tools/report.ts';
import { prepareScratch, type Scratch } from '../tools/scratch.ts';
import { sessionVariables } from '../tools/session-variables.ts';
import type { ToolAdapter, ToolCommand, ToolEnd, ToolReader, ToolRequest } from '../tools/tool.ts';
import { probeVersion } from '../tools/version.ts';
import { type StepOutcome, stepOutcome } from './step-outcome.ts';

/** A tool step with all that is needed to run it. */
interface Job {
  step: ToolStep;
  execution: Execution;
  settings: ToolSettings;
  adapter: ToolAdapter;
  /** Absolute path of the program. */
  program: string;
  folder: string;
  env: Record<string, string>;
  scratch: Scratch;
}

interface ContainedJob extends Job {
  containment: Containment | null;
}

/** Resolves when the step was stopped too, with what the tool had reported until then. */
export async function runTool(
  step: ToolStep,
  execution: Execution,
  signal: StopSignal,
): Promise<StepOutcome> {
  const job = await prepare(step, execution);
  if ('reason' in job) return stepOutcome({ failure: job });
  execution.children.mayHaveLeftTheirGroups();
  const { env, scratch, settings } = job;
  const place = { env, own: [scratch.folder], tool: builtInOf(settings) };
  const containing = containingOf(step, execution.assignment.tools);
  const outcome = await contained(containing, execution, place, (containment) =>
    runContained({ ...job, containment }, signal),
  );
  return 'reason' in outcome ? stepOutcome({ failure: outcome }) : outcome;
}

async function runContained(job: ContainedJob, signal: StopSignal): Promise<StepOutcome> {
  const version = await findVersion(job, signal);
  if (signal.aborted) return stepOutcome({});
  const why = version === null ? null : job.adapter.refuses(version);
  if (version !== null && why !== null) {
    return stepOutcome({
      failure: { reason: 'tool-unsupported', tool: job.settings.name, version, detail: why },
    });
  }
  return runProgram(job, version, signal);
}

/** What can be found out before anything is started. */
async function prepare(step: ToolStep, execution: Execution): Promise<Job | Failure> {
  const { tools, workspace, logFile, workstream } = execution.assignment;
  const settings = Object.hasOwn(tools, step.tool) ? tools[step.tool] : undefined;
  if (settings === undefined) return { reason: 'tool-not-found', tool: step.tool, program: null };
  const overspent = budgetFailure(execution);
  if (overspent !== null) return overspent;
  const folder = step.cwd ?? workspace;
  const bad = badFolder(folder);
  if (bad !== null) return bad;
  const env = { ...step.env, ...settings.env };
  const [name] = settings.command;
  const path = env['PATH'] ?? process.env['PATH'] ?? '';
  const program = findProgram(name, folder, path);
  if (program === null) return missingProgram(settings, folder, path, logFile);
  const adapter = await loadAdapter(settings.adapter);
  const position = workstream.steps.indexOf(step) + 1;
  const scratch = prepareScratch(logFile, position, execution.host.redactor.text(promptOf(step, execution)));
  if ('reason' in scratch) return scratch;
  return { step, execution, settings, adapter, program, folder, env, scratch };
}

/** There may be a file of its name that can't be run. */
function missingProgram(
  { name: tool, command: [name] }: ToolSettings,
  folder: string,
  path: string,
  log: string,
): Failure {
  const file = findFile(name, folder, path);
  const why = file === null ? null : whyNotExecutable(file, path);
  if (why === null) return { reason: 'tool-not-found', tool, program: name };
  return {
    reason: 'tool-error',
    tool,
    detail: describeObstacle(name, why.obstacle, why.detail),
    tail: '',
    log,
  };
}

function promptOf(step: ToolStep, { assignment }: Execution): string {
  if (step.prompt !== undefined) return step.prompt;
  const { workstream, workspace, previousFailure } = assignment;
  const tests = workstream.acceptanceTests.map(({ kind, text }) => ({
    text,
    manual: kind === 'manual' || (kind === 'text' && !isCommand(text, workspace)),
  }));
  const commands = workstream.testGates.map(({ type }) => assignment.gates[type]);
  const gates = commands.flatMap((text) => (text === undefined ? [] : [{ text, manual: false }]));
  const checks = [...tests, ...gates];
  return buildPrompt({ workstream, tasks: step.tasks, checks, previousFailure, session: assignment.session });
}

function findVersion(job: ContainedJob, signal: StopSignal): Promise<string | null> {
  const { versionArguments } = job.adapter;
  if (versionArguments === null) return Promise.resolve(null);
  const command = commandOf(job, { file: job.program, args: [...versionArguments], env: {}, stdin: '' });
  return probeVersion(command, job.scratch.versionFile, signal.abortSignal);
}

/** The session that the step is to go on with; null for a new one. What can't be gone on with is a warning. */
function sessionOf({ step, settings, adapter, execution }: Job): string | null {
  const session = execution.assignment.session?.steps[step.id];
  if (session === undefined) return null;
  if (session.tool === settings.name && adapter.resumes) return session.id;
  const why =
    session.tool === settings.name
      ? 'it is not known how it goes on with a session'
      : `the session was one of ${session.tool}`;
  execution.warn(`${settings.name} began a new session in the same workspace: ${why}.`);
  return null;
}

async function runProgram(
  job: ContainedJob,
  version: string | null,
  signal: StopSignal,
): Promise<StepOutcome> {
  const resume = sessionOf(job);
  const first = await runOnce(job, version, resume, signal);
  if (first !== 'lost-session') return first;
  job.execution.warn(
    `${job.settings.name} has no session ${resume ?? ''} any more, so it began a new one in the same workspace.`,
  );
  const second = await runOnce(job, version, null, signal);
  if (second === 'lost-session') throw new Error('a new session can not be lost');
  return second;
}

async function runOnce(
  job: ContainedJob,
  version: string | null,
  resume: string | null,
  signal: StopSignal,
): Promise<StepOutcome | 'lost-session'> {
  const { settings, execution, adapter, scratch } = job;
  const request = requestOf(job, resume);
  const reader = adapter.reader(request);
  const toolCommand = adapter.command(request);
  const command = commandOf(job, toolCommand);
  const start = execution.output.size;
  const began = performance.now();
  const input = scratch.keepInput(toolCommand.stdin);
  const { exitGraceSeconds } = settings;
  const started = { command, inputFile: input, exitGraceSeconds };
  const result = await runToolProcess(started, tellingSession(job, reader), execution, signal);
  const durationSeconds = (performance.now() - began) / 1000;
  // The program wrote files there, some of which are read now.
  for (const text of await redactPath(scratch.folder, execution.host.redactor, execution.redactionEffort))
    execution.warn(text);
  const tail = execution.output.tail(start);
  if ('error' in result.end) {
    return stepOutcome({ failure: toolError(job, startFailure(command, result.end.error), tail) });
  }
  const end = toolEnd(result, execution, tail);
  if (resume !== null && !signal.aborted && reader.lostSession(end)) return 'lost-session';
  const judged = signal.aborted ? NOT_JUDGED : judge(job, result, command, reader, end);
  const { limit } = judged;
  const tool = makeToolReport(reader.report(), { tool: settings.name, version, durationSeconds, limit });
  execution.spentUsd += tool.costUsd ?? 0;
  if (result.overstayed) {
    execution.warn(
      `${settings.name} had reported its result and did not exit within ${exitGraceSeconds} s, so its processes were ended. The result counts.`,
    );
  }
  const { failure } = judged;
  const said = failure === null && tool.text !== '' ? JSON.stringify({ text: tool.text }) : null;
  return stepOutcome({ failure, exitCode: result.end.code, tail, output: said, tool });
}

/** A reader that tells the main thread of the session as soon as the tool has named it: the tool may be killed. */
function tellingSession(
  { step, settings, adapter, execution }: Job,
  reader: ToolReader,
): Pick<ToolReader, 'line' | 'activity' | 'concluded'> {
  let told: string | null = null;
  return {
    line: (text) => {
      reader.line(text);
      if (told !== null || !adapter.resumes) return;
      told = reader.report().sessionId;
      if (told === null) return;
      const { executionId } = execution.assignment;
      const sessionId = execution.host.redactor.text(told);
      execution.post({ type: 'session', executionId, stepId: step.id, tool: settings.name, sessionId });
    },
    activity: () => reader.activity(),
    concluded: () => reader.concluded(),
  };
}

/** How the program ended, for its adapter. The exit of one that was ended shows nothing about its work. */
function toolEnd({ end, overstayed }: ToolProcessEnd, { assignment }: Execution, tail: string): ToolEnd {
  const log = assignment.logFile;
  if (overstayed || 'error' in end) return { exitCode: null, signal: 'SIGTERM', tail, log };
  return { exitCode: end.code, signal: end.signal, tail, log };
}

interface Judged {
  failure: Failure | null;
  /** The usage limit that made it fail; null for none. */
  limit: UsageLimit | null;
}

const NOT_JUDGED: Judged = { failure: null, limit: null };

function judge(
  job: Job,
  { end, limitPassed, overstayed }: ToolProcessEnd,
  command: Command,
  reader: ToolReader,
  ended: ToolEnd,
): Judged {
  const { tail } = ended;
  if ('error' in end) return NOT_JUDGED;
  if (limitPassed) return { failure: limitFailure(command, job.execution, tail), limit: null };
  const uncontained = command.containment === null ? null : containmentFailure(end.code, tail);
  if (uncontained !== null) return { failure: uncontained, limit: null };
  // No adapter can know of a script whose interpreter `env` did not find.
  const unstarted = overstayed ? null : notStarted(command, end.code, ended);
  if (unstarted !== null) return { failure: toolError(job, unstarted, tail), limit: null };
  const failure = reader.judge(ended);
  return { failure, limit: failure === null ? null : reader.limit(failure, ended) };
}

function requestOf({ settings, folder, scratch, execution }: Job, resume: string | null): ToolRequest {
  const { workstream, budgets } = execution.assignment;
  const [least] = budgets;
  return {
    settings,
    prompt: scratch.prompt,
    promptFile: scratch.promptFile,
    folder,
    scratch: scratch.folder,
    sessionId: randomUUID(),
    resume,
    budgetUsd: least === undefined ? null : least.limitUsd - least.spentUsd - execution.spentUsd,
    scope: [...workstream.filesScope, ...workstream.filesCreate],
  };
}

/** The program's arguments may hold the whole prompt, so messages show its name only. */
function commandOf(
  { settings, folder, env, containment }: ContainedJob,
  { file, args, env: own }: ToolCommand,
): Command {
  // A built-in tool may be started by another program, as in ["npx", "claude"].
  const launcher = settings.adapter === 'custom' ? [] : settings.command.slice(1);
  return {
    shown: file,
    file,
    args: [...launcher, ...args],
    shell: false,
    cwd: folder,
    env: { ...withoutSession(), ...env, ...own },
    containment,
  };
}

/** What the configuration and the step set themselves stays. */
const withoutSession = (): Record<string, undefined> =>
  Object.fromEntries(sessionVariables(process.env).map((name) => [name, undefined]));

/** Without this a tool that may spend nothing would answer with an error of its own. */
function budgetFailure({ assignment, spentUsd }: Execution): Failure | null {
  const [least] = assignment.budgets;
  if (least === undefined || least.spentUsd + spentUsd < least.limitUsd) return null;
  return { reason: 'budget-exceeded', ...least, spentUsd: least.spentUsd + spentUsd };
}

function toolError({ settings, execution }: Job, cause: Failure, tail: string): Failure {
  const { logFile: log } = execution.assignment;
  return { reason: 'tool-error', tool: settings.name, detail: describeFailure(cause), tail, log };
}
