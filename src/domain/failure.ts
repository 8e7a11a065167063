/**
 * Everything that can go wrong with a workstream, as data: a union told apart by `reason`.
 * A failure never holds an Error object, because those lose their class and fields between threads.
 */
import { z } from 'zod';

const text = z.string();

/** A thrown value, flattened at the edge of the thread where it was caught. */
const thrownSchema = z.object({
  name: text,
  message: text,
  code: text.optional(),
  stack: text.optional(),
});
export type Thrown = z.infer<typeof thrownSchema>;

/** What a step's failure knows about a child process. */
const command = { command: text, tail: text, log: text.nullable() };

/** What a failure of a tool knows about it. */
const tool = { tool: text, detail: text, tail: text, log: text.nullable() };

/** One acceptance test that did not pass. */
const failedTest = z.object({ name: text, detail: text });

export const failureSchema = z.discriminatedUnion('reason', [
  z.object({ reason: z.literal('invalid-workstream'), problems: z.array(text) }),
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
    available: z.array(text),
  }),
  z.object({ reason: z.literal('command-not-found'), command: text }),
  z.object({
    reason: z.literal('tool-not-found'),
    tool: text,
    /** The program that is not on PATH; null where no tool of this name is known. */
    program: text.nullable(),
  }),
  z.object({ reason: z.literal('tool-unsupported'), tool: text, version: text, detail: text }),
  z.object({ reason: z.literal('tool-not-logged-in'), ...tool }),
  /** Out of quota, credit or rate. */
  z.object({ reason: z.literal('tool-quota'), ...tool }),
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
  z.object({
    reason: z.literal('budget-exceeded'),
    of: z.enum(['workstream', 'run']),
    limitUsd: z.number(),
    spentUsd: z.number(),
  }),
  /** The results that it was to start from can't be merged. */
  z.object({ reason: z.literal('merge-conflict'), between: z.array(text), files: z.array(text) }),
  z.object({ reason: z.literal('setup-failed'), exitCode: z.number().int().nullable(), ...command }),
  /** The same failure of one tool again and again: the rest of its workstreams are not started. */
  z.object({ reason: z.literal('circuit-open'), tool: text, cause: text, count: z.number().int() }),
  z.object({ reason: z.literal('exit-non-zero'), exitCode: z.number().int(), ...command }),
  z.object({ reason: z.literal('killed-by-signal'), signal: text, ...command }),
  z.object({ reason: z.literal('output-limit'), limitMb: z.number(), ...command }),
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
  z.object({ reason: z.literal('out-of-memory'), limitMb: z.number().nullable() }),
  z.object({
    reason: z.literal('worker-crashed'),
    exitCode: z.number().int().nullable(),
    detail: text,
  }),
  z.object({
    reason: z.literal('acceptance-failed'),
    tests: z.array(failedTest),
    tail: text,
    log: text.nullable(),
  }),
  z.object({ reason: z.literal('workspace-error'), detail: text }),
  z.object({ reason: z.literal('cancelled'), detail: text }),
  z.object({ reason: z.literal('interrupted'), detail: text }),
  z.object({ reason: z.literal('skipped-by-user') }),
  z.object({ reason: z.literal('internal-error'), thrown: thrownSchema }),
]);

/** Why a workstream did not complete. */
export type Failure = z.infer<typeof failureSchema>;

/** The kebab-case word that tells failures apart; it is also `error_type` in the database. */
export type Reason = Failure['reason'];

/** The reasons of tools that ended as if they had succeeded. */
export const FALSE_SUCCESSES: readonly Reason[] = [
  'permission-denied',
  'read-only',
  'no-model-answer',
  'tool-interrupted',
  'no-changes',
];
