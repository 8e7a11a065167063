/** From the arguments of `run` to the options of a run. */
import { Parser } from 'yargs/helpers';
import { type CoordinatorOptions, optionProblem } from '../app/options.ts';
import { isRunId } from '../run/run-id.ts';
import type { Continuation } from '../watch/protocol.ts';
import { CONFIG_FILE, kebab, variableOf } from './config.ts';
import type { PlanArguments } from './commands/plan.ts';
import type { RunArguments } from './commands/run.ts';
import { UsageError } from './usage-error.ts';

/** What is the same for every run, and what an earlier run may have had otherwise, by the flag that says it. */
type Overridable = Omit<CoordinatorOptions, 'cwd' | 'state' | 'select' | 'logLevel' | 'project' | 'ask'>;

/** What `run` and `plan` have in common: everything that decides what is run. */
type DecidingArguments = RunArguments | PlanArguments;

/**
 * The options that the arguments give. A run that goes on with another has the options of that one, and of the
 * arguments only what stands on the command line.
 * @param line the words after `millrace`.
 */
export function givenOptions(argv: DecidingArguments, line: readonly string[]): CoordinatorOptions {
  const which = whichRun(argv);
  const fixed = { state: argv.state, select: which.ids };
  const all = Object.entries(byFlag(argv));
  const flags = flagsOf(line);
  const isNew = which.resume === undefined && which.retryFailed === undefined;
  const given = isNew ? all : all.filter(([flag]) => flags.has(flag));
  for (const [flag, option] of given) check(flag, option, flags);
  if (isNew) return Object.assign(fixed, ...given.map(([, option]) => option));
  const { resume, retryFailed } = which;
  return Object.assign(
    fixed,
    resume === undefined ? {} : { resume },
    retryFailed === undefined ? {} : { retryFailed },
    ...given.map(([, option]) => option),
  );
}

/**
 * The options of a process that goes on with a run whose process died. It has those of the run, and only of a run that
 * was a resumed one already those that were given: they may have named a part of it.
 */
export function continuationOptions(
  given: CoordinatorOptions,
  from: Continuation | null,
): CoordinatorOptions {
  if (from === null) return given;
  const { state, logLevel } = given;
  const kept = given.resume === undefined ? { state, logLevel } : given;
  return { ...kept, resume: from.runId, afterDeath: { ...from.death, deaths: from.deaths } };
}

interface WhichRun {
  resume?: string | true;
  retryFailed?: string | true;
  ids: string[];
}

/** The word after `--resume` is the id of a run if it looks like one, and otherwise that of a workstream. */
function whichRun({
  id,
  resume,
  retryFailed,
}: Pick<DecidingArguments, 'id' | 'resume' | 'retryFailed'>): WhichRun {
  const words = [resume, retryFailed].filter((word) => word !== undefined && word !== '' && !isRunId(word));
  const named = (word: string | undefined): string | true | undefined =>
    word === undefined ? undefined : isRunId(word) ? word : true;
  const [first, second] = [named(resume), named(retryFailed)];
  return {
    ids: [...words.filter((word) => word !== undefined), ...id],
    ...(first === undefined ? {} : { resume: first }),
    ...(second === undefined ? {} : { retryFailed: second }),
  };
}

function byFlag(argv: DecidingArguments): Record<string, Overridable> {
  return {
    agents: { agentsCount: argv.agents },
    'max-agents': { maxAgents: argv.maxAgents ?? null },
    workstreams: { workstreams: argv.workstreams },
    reports: { reports: argv.reports },
    'with-dependencies': { withDependencies: argv.withDependencies },
    timeout: { timeoutSeconds: argv.timeout },
    grace: { graceSeconds: argv.grace },
    'agent-memory': { agentMemoryMb: argv.agentMemory ?? null },
    'max-output': { maxOutputMb: argv.maxOutput },
    distribution: { distribution: argv.distribution },
    merge: { merge: argv.merge },
    tool: { tool: argv.tool ?? null },
    'best-of': { bestOf: toolsOf(argv.bestOf) },
    workspace: { workspace: argv.workspace ?? null },
    'outside-scope': { outsideScope: argv.outsideScope },
    'max-cost-usd': { maxCostUsd: argv.maxCostUsd ?? null },
    'tool-circuit': { toolCircuit: argv.toolCircuit },
  };
}

/** @throws UsageError for a value that can't be used, which names what it was given by. */
function check(flag: string, option: Overridable, flags: ReadonlySet<string>): void {
  const problem = optionProblem(option);
  if (problem === null) return;
  throw new UsageError(`${givenBy(flag, flags)} can't be used: ${problem}.`);
}

/** What a person wrote: the flag, the variable, or the key of the configuration file. */
function givenBy(flag: string, flags: ReadonlySet<string>): string {
  if (flags.has(flag)) return flag === 'agents' ? '-j, --agents' : `--${flag}`;
  const variable = variableOf(flag);
  return (process.env[variable] ?? '') === '' ? `${CONFIG_FILE}: "${flag}"` : variable;
}

/** The tools of `--best-of`, with commas between them; none where it is not given. */
export function toolsOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  const names = text.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  if (names.length === 0) throw new UsageError('--best-of takes the names of tools, such as claude,codex.');
  return names;
}

/** The options that stand on the command line: what yargs gives has defaults and the configuration in it. */
function flagsOf(line: readonly string[]): Set<string> {
  const configuration = { 'camel-case-expansion': false };
  const words = Object.keys(Parser([...line], { alias: { agents: ['j'] }, configuration }));
  return new Set(words.map(kebab));
}
