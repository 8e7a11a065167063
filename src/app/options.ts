/** The options of a run, for the library and the command line alike: parsed once, and passed down as one value. */
import { z } from 'zod';
import type { JsonObject } from '../domain/json.ts';
import { projectSchema } from '../domain/project.ts';
import type { Workstream } from '../domain/workstream.ts';
import type { Decision } from '../run/coordinator.ts';
import {
  type FlagOption,
  isRunOption,
  OPTION_TABLE,
  type RunOption,
  type TableValues,
} from './option-table.ts';
import { Refusal } from './refusal.ts';

/** Options that have no flag: callers of the library give them, and the command line sets them itself. */
const callerShape = {
  /** The folder that the others are relative to, and in which commands run. */
  cwd: z
    .string()
    .min(1)
    .default(() => process.cwd()),
  /** Ids or globs of the workstreams to run; empty for all of them. */
  select: z.array(z.string()).default([]),
  /**
   * With `resume`: how the process of that run died, where it died by itself. Workstreams that were active are run
   * again one at a time, each in a process of its own. Given by the process that watches the run.
   */
  afterDeath: z
    .object({
      exitCode: z.int().nullable(),
      signal: z.string().nullable(),
      /** How many processes of the run have died in all. */
      deaths: z.int().min(1),
    })
    .nullable()
    .default(null),
  /** The tools, agents and workspaces of the project. */
  project: projectSchema.prefault({}),
  /** Asked before each workstream is run; null to run them all. With it, one agent works at a time. */
  ask: z
    .custom<(workstream: Workstream, signal: AbortSignal) => Promise<Decision>>(
      (value) => typeof value === 'function',
    )
    .nullable()
    .default(null),
};

const callerOptions = z.object(callerShape);

/** Options of a run with every default filled in. */
export type RunOptions = TableValues & z.output<typeof callerOptions>;

/** Options of a run as a caller gives them; all have defaults. */
export type CoordinatorOptions = { [Name in keyof TableValues]?: TableValues[Name] | undefined } & z.input<
  typeof callerOptions
>;

const table: [name: string, option: FlagOption][] = Object.entries(OPTION_TABLE);
const runOptions = new Map<string, RunOption>(
  table.flatMap(([name, option]) => (isRunOption(option) ? [[name, option]] : [])),
);

const schema = schemaOfAll();

/** The types are those of the table, which the compiler can't follow through the entries of an object. */
function schemaOfAll(): z.ZodType<RunOptions>;
function schemaOfAll(): z.ZodType {
  const fields = [...runOptions].map(([name, option]) => [name, option.schema(z).default(option.default)]);
  return z.strictObject({ ...Object.fromEntries(fields), ...callerShape });
}

/** Ids of a selection are stored too: a run that is resumed has the same workstreams. */
const STORED: readonly string[] = [
  ...[...runOptions].flatMap(([name, { stored }]) => (stored ? [name] : [])),
  'select',
];

/** Options that were parsed, and which of them were given. */
export interface ParsedOptions {
  options: RunOptions;
  /** Names; the others have their default, or the value that an earlier run had. */
  given: ReadonlySet<string>;
}

/** Checks options and fills in defaults. @throws Refusal with exit code 2 for an option that can't be used. */
export function parseOptions(given: CoordinatorOptions): ParsedOptions {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Refusal(
      2,
      `The option ${issue?.path.join('.') ?? ''} can't be used: ${issue?.message ?? 'invalid'}.`,
    );
  }
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  return { options: parsed.data, given: new Set(names) };
}

/** Why this value can't be used for the option of this name; null where it can. */
export function optionProblem(name: string, value: unknown): string | null {
  const parsed = schema.safeParse({ [name]: value });
  return parsed.success ? null : (parsed.error.issues[0]?.message ?? 'invalid');
}

/**
 * The options that are stored with a run, so that it is resumed with the same: those that say what is run and how.
 * Where it is recorded, what is shown and who is asked may differ each time; tools, named agents and gates are read from
 * the configuration again.
 */
export function storedOptions(options: RunOptions): JsonObject {
  const values: Record<string, unknown> = options;
  return jsonObject.parse(Object.fromEntries(STORED.map((name) => [name, values[name]])));
}

const jsonObject = z.record(z.string(), z.json());

/**
 * The options of an earlier run with those that are given now laid over them. What an earlier version did not store,
 * or this one can't use, has its default.
 */
export function mergeOptions(stored: JsonObject | null, { options, given }: ParsedOptions): RunOptions {
  const earlier = STORED.flatMap((name) => {
    const value = stored?.[name];
    // A later version may have stored what this one does not know.
    const isKept = value !== undefined && !given.has(name) && optionProblem(name, value) === null;
    return isKept ? [[name, value] as const] : [];
  });
  return { ...options, ...Object.fromEntries(earlier) };
}
