/** From the arguments of `run` to the options of a run. */
import { Parser } from 'yargs/helpers';
import { type FlagOption, isRunOption, OPTION_TABLE } from '../app/option-table.ts';
import { type CoordinatorOptions, optionProblem } from '../app/options.ts';
import { looksLikeRun } from '../run/run-id.ts';
import type { Continuation } from '../watch/protocol.ts';
import type { PlanArguments } from './commands/plan.ts';
import type { RunArguments } from './commands/run.ts';
import { CONFIG_FILE, kebab, variableOf } from './config.ts';
import { writtenFlag } from './options.ts';
import { UsageError } from './usage-error.ts';

/** What `run` and `plan` have in common: everything that decides what is run. */
type DecidingArguments = RunArguments | PlanArguments;

/**
 * The options of a run from the arguments. A run that goes on with another has the options of that one, except for
 * those on the command line.
 * @param line the words after `millrace`.
 */
export function givenOptions(argv: DecidingArguments, line: readonly string[]): CoordinatorOptions {
  const { ids: runIds, ...which } = whichRun(argv, line);
  const { ids, failFast } = whichThreshold(argv, line);
  const select = [...runIds, ...ids];
  const flags = flagsOf(line);
  const isNew = which.resume === undefined && which.retryFailed === undefined;
  const given = storedAmong({ ...argv, failFast, 'fail-fast': failFast }).filter(
    ({ flag }) => isNew || flags.has(flag),
  );
  for (const value of given) check(value, flags);
  const values = given.map(({ name, value }) => [name, value] as const);
  return Object.assign(
    { state: argv.state, select, pattern: argv.pattern ?? null, ...queueOf(argv) },
    which,
    Object.fromEntries(values),
  );
}

/** How the queue is reached is not stored with the run: an address may have a password. */
const queueOf = (
  argv: DecidingArguments,
): Pick<CoordinatorOptions, 'queue' | 'queueKeyFile' | 'queueCa'> => ({
  queue: argv.queue ?? null,
  queueKeyFile: argv.queueKeyFile ?? null,
  queueCa: argv.queueCa ?? null,
});

/** An option that was given, under its names in the library and on the command line. */
interface GivenOption {
  name: string;
  flag: string;
  value: unknown;
}

/** Those that say what is run and how: what an earlier run may have had otherwise. */
function storedAmong(argv: DecidingArguments): GivenOption[] {
  const values: Record<string, unknown> = argv;
  const table: [name: string, option: FlagOption][] = Object.entries(OPTION_TABLE);
  return table.flatMap(([name, option]) => {
    if (!isRunOption(option) || !option.stored) return [];
    const { flag, type } = option;
    const value = type === 'list' ? namesOf(flag, values[flag]) : values[flag];
    return [{ name, flag, value: value ?? option.default }];
  });
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
  const { state, logLevel, html, queue, queueKeyFile, queueCa } = given;
  const kept = given.resume === undefined ? { state, logLevel, html, queue, queueKeyFile, queueCa } : given;
  return { ...kept, resume: from.runId, afterDeath: { ...from.death, deaths: from.deaths } };
}

interface WhichRun {
  resume?: string | true;
  retryFailed?: string | true;
  ids: string[];
}

/** The separate word after `--resume` names a run if it looks like one, and otherwise a workstream. */
function whichRun(
  { id, resume, retryFailed }: Pick<DecidingArguments, 'id' | 'resume' | 'retryFailed'>,
  line: readonly string[],
): WhichRun {
  const names = { resume, retryFailed };
  const isRun = (flag: string, word: string): boolean =>
    looksLikeRun(word) || line.includes(`${flag}=${word}`);
  const which: Pick<WhichRun, 'resume' | 'retryFailed'> = {};
  const ids: string[] = [];
  for (const [name, flag] of RUN_FLAGS) {
    const word = names[name];
    if (word === undefined) continue;
    which[name] = word !== '' && isRun(flag, word) ? word : true;
    if (word !== '' && which[name] === true) ids.push(word);
  }
  return { ...which, ids: [...ids, ...id] };
}

/** The separate word after `--fail-fast` is its value if it looks like one, and otherwise a workstream. */
function whichThreshold(
  { failFast }: Pick<DecidingArguments, 'failFast'>,
  line: readonly string[],
): { failFast: string | undefined; ids: string[] } {
  const at = line.indexOf('--fail-fast');
  const isSeparate = failFast !== undefined && at !== -1 && line[at + 1] === failFast;
  if (!isSeparate || failFast === '' || /^\d+(?:\.\d+)?%?$/.test(failFast)) return { failFast, ids: [] };
  return { failFast: '', ids: [failFast] };
}

const RUN_FLAGS = [
  ['resume', '--resume'],
  ['retryFailed', '--retry-failed'],
] as const;

/** @throws UsageError for a value that can't be used, by the name that the user wrote. */
function check({ name, flag, value }: GivenOption, flags: ReadonlySet<string>): void {
  const problem = optionProblem(name, value);
  if (problem === null) return;
  throw new UsageError(`${givenBy(flag, flags)} can't be used: ${problem}.`);
}

/** The name that the user wrote: the flag, the variable, or the key of the configuration file. */
function givenBy(flag: string, flags: ReadonlySet<string>): string {
  if (flags.has(flag)) return writtenFlag(flag);
  const variable = variableOf(flag);
  return (process.env[variable] ?? '') === '' ? `${CONFIG_FILE}: "${flag}"` : variable;
}

/** The names in a list with commas between them; none where it is not given. */
export function namesOf(flag: string, text: unknown): string[] {
  if (typeof text !== 'string') return [];
  const names = text.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  if (names.length === 0)
    throw new UsageError(`--${flag} takes names with commas between them, such as claude,codex.`);
  return names;
}

/** The options on the command line itself: the arguments from yargs have defaults and the configuration in them. */
function flagsOf(line: readonly string[]): Set<string> {
  const configuration = { 'camel-case-expansion': false };
  const words = Object.keys(Parser([...line], { alias: { agents: ['j'] }, configuration }));
  return new Set(words.map(kebab));
}
