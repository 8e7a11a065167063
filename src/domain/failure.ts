/**
 * Everything that can go wrong with a workstream, as data: a union discriminated by `reason`.
 * A failure never holds an Error object, because those lose their class and fields between threads.
 */
import { z } from 'zod';

const text = z.string();

const oneThrown = { name: text, message: text, code: text.optional() };

/** A thrown value, flattened at the edge of the thread where it was caught. */
const thrownSchema = z.object({
  ...oneThrown,
  stack: text.optional(),
  /** What it names as its causes, the nearest first; absent for none. */
  causes: z.array(z.object(oneThrown)).optional(),
});
export type Thrown = z.infer<typeof thrownSchema>;

/** What is known about the child process of a step that failed. */
const command = { command: text, tail: text, log: text.nullable() };

/** What a shell printed that could not start the command; absent where none was used. */
const printed = { tail: text.optional(), log: text.nullable().optional() };

/** What keeps the system from running a file. */
const obstacle = z.enum([
  'folder',
  'no-permission',
  'not-allowed-there',
  'broken-link',
  'missing-interpreter',
  'windows-line-ends',
  'missing-loader',
  'wrong-format',
  'refused',
]);
export type Obstacle = z.infer<typeof obstacle>;

/** What is known about a tool that failed. */
const tool = { tool: text, detail: text, tail: text, log: text.nullable() };

/** One acceptance test that did not pass. */
const failedTest = z.object({ name: text, detail: text });

/** What used its memory up: a thread's or a process's JavaScript heap, or a process with all it holds. */
const memoryOf = z.enum(['thread-heap', 'process-heap', 'process']);

export const failureSchema = z.discriminatedUnion('reason', [
  z.object({
    reason: z.literal('invalid-workstream'),
    problems: z.array(text),
    /** Of the first problem; absent where it has no line. Lines and columns are counted from 1. */
    place: z.object({ file: text, line: z.number().int(), column: z.number().int() }).optional(),
  }),
  z.object({ reason: z.literal('duplicate-id'), id: text, places: z.array(text) }),
  z.object({ reason: z.literal('cycle'), path: z.array(text) }),
  z.object({ reason: z.literal('missing-dependency'), missing: text, suggestion: text.nullable() }),
  z.object({ reason: z.literal('dependency-failed'), dependency: text, detail: text }),
  z.object({ reason: z.literal('module-not-found'), module: text }),
  z.object({ reason: z.literal('module-load-failed'), module: text, thrown: thrownSchema }),
  z.object({
    reason: z.literal('export-not-found'),
    module: text,
    export: text,
    /** What is exported under that name, where it is no function; null where nothing is. */
    found: text.nullable().default(null),
    /** The functions that it exports. */
    available: z.array(text),
  }),
  z.object({ reason: z.literal('command-not-found'), command: text, ...printed }),
  /** A file of this name exists, and the system does not run it. `detail` is what the sentence names. */
  z.object({
    reason: z.literal('command-not-executable'),
    command: text,
    obstacle,
    detail: text,
    ...printed,
  }),
  z.object({
    reason: z.literal('tool-not-found'),
    tool: text,
    /** The program that is not on PATH; null where no tool of this name is known. */
    program: text.nullable(),
    /** The known tool that was probably meant. */
    suggestion: text.optional(),
  }),
  z.object({ reason: z.literal('tool-unsupported'), tool: text, version: text, detail: text }),
  /** It asks for a containment that there can't be here, and nothing runs without it. */
  z.object({ reason: z.literal('sandbox-unavailable'), detail: text }),
  z.object({ reason: z.literal('tool-not-logged-in'), ...tool }),
  /** Out of quota, credit or rate. */
  z.object({ reason: z.literal('tool-quota'), ...tool }),
  /**
   * A limit of the tool's account that passes by itself, and was not waited for: the run was not to wait, or not that long.
   * `resetsAt` is ISO 8601 in UTC; null where it is not known.
   */
  z.object({ reason: z.literal('usage-limit'), ...tool, resetsAt: text.nullable() }),
  /** The tool's own limit of turns or cost. */
  z.object({ reason: z.literal('tool-limit'), ...tool }),
  /** The tool says that it failed, or that its model did. */
  z.object({ reason: z.literal('tool-error'), ...tool }),
  /** The false successes: the program ended with 0 and the work was not done. */
  z.object({ reason: z.literal('permission-denied'), denied: z.array(text), ...tool }),
  z.object({ reason: z.literal('read-only'), ...tool }),
  z.object({ reason: z.literal('no-model-answer'), ...tool }),
  z.object({ reason: z.literal('tool-interrupted'), ...tool }),
  z.object({ reason: z.literal('no-changes'), scope: z.array(text) }),
  z.object({ reason: z.literal('outside-scope'), files: z.array(text) }),
  /** It left conflict markers in files that it changed, and no acceptance test passed on them. */
  z.object({ reason: z.literal('conflict-markers'), files: z.array(text) }),
  z.object({
    reason: z.literal('budget-exceeded'),
    of: z.enum(['workstream', 'run', 'tool']),
    limitUsd: z.number(),
    spentUsd: z.number(),
    /** Whose limit it is, of a tool's. */
    tool: text.optional(),
  }),
  /** The work that it depends on can't be merged. */
  z.object({ reason: z.literal('merge-conflict'), between: z.array(text), files: z.array(text) }),
  z.object({
    reason: z.literal('setup-failed'),
    exitCode: z.number().int().nullable(),
    ...command,
    /** Why it could not be started; absent where it was. */
    cause: text.optional(),
  }),
  /** One tool failed in the same way several times in a row: the rest of its workstreams are not started. */
  z.object({ reason: z.literal('circuit-open'), tool: text, cause: text, count: z.number().int() }),
  z.object({
    reason: z.literal('exit-non-zero'),
    exitCode: z.number().int(),
    ...command,
    /** Present where a module step, named by `command`, set `process.exitCode`. */
    isModule: z.literal(true).optional(),
  }),
  z.object({ reason: z.literal('killed-by-signal'), signal: text, ...command }),
  /** `command` is null where it is not known which one printed that much. */
  z.object({ reason: z.literal('output-limit'), limitMb: z.number(), ...command, command: text.nullable() }),
  z.object({
    reason: z.literal('thrown'),
    how: z.enum(['thrown', 'unhandled-rejection', 'uncaught-exception']),
    thrown: thrownSchema,
  }),
  z.object({ reason: z.literal('invalid-result'), detail: text }),
  z.object({
    reason: z.literal('timed-out'),
    seconds: z.number(),
    /** The step whose own limit passed; null when the workstream's did. */
    step: text.nullable(),
    tail: text,
  }),
  z.object({ reason: z.literal('out-of-memory'), of: memoryOf, limitMb: z.number().nullable() }),
  z.object({
    reason: z.literal('worker-crashed'),
    exitCode: z.number().int().nullable(),
    detail: text,
  }),
  /** A whole process died: its own, or that of the run while it was running. One of code and signal is known. */
  z.object({
    reason: z.literal('process-crashed'),
    exitCode: z.number().int().nullable(),
    signal: text.nullable(),
    detail: text,
    tail: text,
    log: text.nullable(),
  }),
  z.object({
    reason: z.literal('acceptance-failed'),
    tests: z.array(failedTest),
    tail: text,
    log: text.nullable(),
  }),
  /** Paths that it declares as outputs, at which there is no file when it has run. */
  z.object({ reason: z.literal('missing-output'), paths: z.array(text) }),
  /** The reviewer rejected the work: `findings` are what it found, a sentence each, or else the end of what it said. */
  z.object({ reason: z.literal('review-failed'), tool: text, findings: z.array(text), log: text.nullable() }),
  /** Work that is to be reviewed first, of which the reviewer gave no verdict. */
  z.object({ reason: z.literal('no-review'), tool: text, detail: text, log: text.nullable() }),
  z.object({ reason: z.literal('workspace-error'), detail: text }),
  z.object({
    reason: z.literal('cancelled'),
    detail: text,
    /** Who asked for it; absent where the engine alone knows of it. */
    by: text.optional(),
  }),
  z.object({ reason: z.literal('interrupted'), detail: text }),
  /** The hosts that executed it over a queue died or went silent, each time that it was started. */
  z.object({ reason: z.literal('host-lost'), detail: text }),
  /** A host did not execute it, or what came back for it was refused. */
  z.object({ reason: z.literal('remote-refused'), detail: text }),
  /** No host provides what it requires. */
  z.object({ reason: z.literal('no-worker'), requires: z.array(text), waitedSeconds: z.number() }),
  z.object({ reason: z.literal('skipped-by-user') }),
  /** It needs more than all that the run may reserve, in processors or MB. */
  z.object({
    reason: z.literal('insufficient-resources'),
    of: z.enum(['cpus', 'memory']),
    needed: z.number(),
    available: z.number(),
    /** Whether an option says how much there is, and not the machine. */
    isGiven: z.boolean(),
  }),
  /** So many had failed that nothing more was started. `limit` is as it was given. */
  z.object({ reason: z.literal('fail-fast'), failed: z.number().int(), limit: text }),
  z.object({ reason: z.literal('internal-error'), thrown: thrownSchema }),
]);

/** Why a workstream did not complete. */
export type Failure = z.infer<typeof failureSchema>;

/** A failure in a stored record; null for none, where an older version did not keep it, and for an unknown shape. */
export const storedFailureSchema = failureSchema.nullable().catch(null);

/** What keeps the file of a command from being run. */
export type NotExecutable = Pick<
  Extract<Failure, { reason: 'command-not-executable' }>,
  'obstacle' | 'detail'
>;

/** The kebab-case word that discriminates failures; it is also `error_type` in the database. */
export type Reason = Failure['reason'];

const reasons: ReadonlySet<unknown> = new Set(failureSchema.options.map(({ shape }) => shape.reason.value));

/** A word that is a reason of this version. */
export const reasonSchema = z.custom<Reason>((word) => reasons.has(word));

/** Reasons that say nothing about a workstream: somebody decided that it should not go on. */
const DECIDED: ReadonlySet<string> = new Set<Reason>(['cancelled', 'interrupted']);

/** Whether such a failure is evidence about its workstream, as histories over many runs count it. */
export const isEvidence = (reason: string): boolean => !DECIDED.has(reason);

const ONLY_HOW_REASONS: readonly Reason[] = [
  'exit-non-zero',
  'killed-by-signal',
  'worker-crashed',
  'process-crashed',
];
const ONLY_HOW: ReadonlySet<string> = new Set(ONLY_HOW_REASONS);

/** Whether messages of this reason say how something ended and not why: equal messages may have different causes. */
export const saysOnlyHow = (reason: string): boolean => ONLY_HOW.has(reason);

const TOLD_BY_OUTPUT: ReadonlySet<string> = new Set<Reason>([
  ...ONLY_HOW_REASONS,
  'setup-failed',
  'acceptance-failed',
]);

/** Whether the output of what failed for this reason tells why, and the message does not. */
export const outputTells = (reason: string): boolean => TOLD_BY_OUTPUT.has(reason);
