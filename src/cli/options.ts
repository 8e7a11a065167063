/** The flags of the command line, from the table of options. Quick to load: help shows them. */
import type { Options } from 'yargs';
import {
  type FlagOption,
  FOLDER_OPTIONS,
  JSON_OPTION,
  LABEL_OPTION,
  OPTION_TABLE,
  OUTPUT_OPTIONS,
  QUEUE_OPTIONS,
  RESUME_OPTIONS,
  RUN_OPTIONS,
  SELECTION_OPTIONS,
} from '../app/option-table.ts';
import { parseDuration } from '../text/amounts.ts';
import { UsageError } from './usage-error.ts';

/** How help describes what names a run. */
export const RUN_NAME = 'Id of a run, the beginning of it, latest, latest~2, or a label';
export const RUN_OR_LATEST = `${RUN_NAME}; the latest without one`;

/** Of commands that change something. @param describe what is done instead. */
export const dryRunOption = (describe: string) => ({
  'dry-run': { alias: 'n', type: 'boolean' as const, default: false, describe },
});

/** Of an option that is given more than once the last one counts. */
export const lastGiven = (value: unknown): unknown => (Array.isArray(value) ? value.at(-1) : value);

/** A number, or `auto`; what is neither is refused as no number where it is used. */
function countArgument(value: unknown): number | 'auto' {
  const given = lastGiven(value);
  return given === 'auto' ? 'auto' : Number(given);
}

/** A configuration file may have a number, and `true` for a threshold. */
const textArgument = (value: unknown): string => String(lastGiven(value));

const COERCIONS: Partial<Record<FlagOption['type'], (value: unknown) => unknown>> = {
  count: countArgument,
  amount: textArgument,
  threshold: textArgument,
};

type ValueOf<O extends FlagOption> = O extends { choices: readonly (infer Choice)[] }
  ? Choice
  : {
      string: string;
      number: number;
      boolean: boolean;
      count: number | 'auto';
      list: string;
      run: string;
      amount: string;
      threshold: string;
    }[O['type']];

/** An argument has the type that `coerce` returns; without a default it may be missing. */
type Flag<O extends FlagOption> = Options & { coerce: (value: unknown) => ValueOf<O> } & (O['default'] extends
    | null
    | readonly []
    ? unknown
    : { default: ValueOf<O> });

type Flags<T extends Record<string, FlagOption>> = { [Name in keyof T as T[Name]['flag']]: Flag<T[Name]> };

/** The options of a part of the table as yargs takes them, by flag. */
function flagsOf<T extends Record<string, FlagOption>>(table: T): Flags<T>;
function flagsOf(table: Record<string, FlagOption>): Record<string, Options> {
  return Object.fromEntries(Object.values(table).map((option) => [option.flag, flagOf(option)]));
}

function flagOf({ type, alias, choices, group, help, default: value }: FlagOption): Options {
  const isSimple = type === 'number' || type === 'boolean';
  const hasDefault = value !== null && !Array.isArray(value);
  return {
    ...(alias === undefined ? {} : { alias }),
    ...(type === 'count' || choices !== undefined ? {} : { type: isSimple ? type : 'string' }),
    ...(choices === undefined ? {} : { choices }),
    ...(hasDefault ? { default: value } : {}),
    ...(group === undefined ? {} : { group }),
    ...(type === 'run' || type === 'threshold' ? {} : { requiresArg: type !== 'boolean' }),
    coerce: COERCIONS[type] ?? lastGiven,
    describe: help,
  };
}

/** How a run is done. `plan` has these as well. */
export const runOptions: Flags<typeof RUN_OPTIONS> = flagsOf(RUN_OPTIONS);
export const queueOptions: Flags<typeof QUEUE_OPTIONS> = flagsOf(QUEUE_OPTIONS);
export const outputOptions: Flags<typeof OUTPUT_OPTIONS> = flagsOf(OUTPUT_OPTIONS);
export const resumeOptions: Flags<typeof RESUME_OPTIONS> = flagsOf(RESUME_OPTIONS);
export const labelOption: Flags<typeof LABEL_OPTION> = flagsOf(LABEL_OPTION);
export const selectionOptions: Flags<typeof SELECTION_OPTIONS> = flagsOf(SELECTION_OPTIONS);
export const jsonOption: Flags<typeof JSON_OPTION> = flagsOf(JSON_OPTION);
export const folderOptions: Flags<typeof FOLDER_OPTIONS> = flagsOf(FOLDER_OPTIONS);

/**
 * The type of an option's value in a configuration file; `count` is a number or `auto`, `amount` a number or a string,
 * `threshold` these or a boolean.
 */
export type OptionKind = 'string' | 'number' | 'boolean' | 'count' | 'amount' | 'threshold';

/** All options of a run, as the command line knows them. */
const everyFlag: readonly FlagOption[] = Object.values(OPTION_TABLE);

/** Names of all options that a configuration file or the environment may set, with the type of their value. */
export function configurableOptions(): Map<string, OptionKind> {
  const configurable = everyFlag.filter((option) => option.configurable !== false);
  return new Map(
    configurable.map(({ flag, type }) => [flag, type === 'list' || type === 'run' ? 'string' : type]),
  );
}

/** An option as help and messages write it: `-j, --agents`. */
export function writtenFlag(flag: string): string {
  const alias = everyFlag.find((option) => option.flag === flag)?.alias;
  return alias === undefined ? `--${flag}` : `-${alias}, --${flag}`;
}

/** Which run is meant, where a command's words are workstreams. */
export const runOption = {
  run: { type: 'string' as const, describe: `${RUN_NAME}; the one under way without it`, requiresArg: true },
};

/** How a page is shown. */
export const formatOption = {
  format: {
    choices: ['text', 'md', 'json'] as const,
    describe: 'Print text, Markdown or JSON; text without it',
    requiresArg: true,
  },
};

/** How far back histories look. */
export const historyOption = {
  last: {
    type: 'number' as const,
    default: 100,
    describe: 'Number of runs to look at, the newest ones',
    requiresArg: true,
  },
};

/** Seconds of `90`, `90s`, `5m`, `1h30m`, `30d`. @throws UsageError for anything else */
export function durationOf(option: string, text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null)
    throw new UsageError(`${option}: "${text}" is no duration. It reads like 90, 90s, 5m, 1h30m or 30d.`);
  return seconds;
}

const MOST_RUNS = 10_000;

/** How many runs a history is to have. @throws UsageError for what is no such number */
export function historyLength(last: number): number {
  if (!Number.isSafeInteger(last) || last < 1 || last > MOST_RUNS)
    throw new UsageError(`--last takes a whole number from 1 to ${MOST_RUNS}.`);
  return last;
}
