/** What is said on the socket of a run: one request and one answer on each connection, a line of JSON each. */
import { z } from 'zod';

/** A request of another version is refused by name. */
export const CONTROL_VERSION = 1;

/** Most bytes of a request and of an answer; enough for the ids of 10,000 workstreams. */
export const MOST_BYTES = 4 * 1024 * 1024;

const version = z.literal(CONTROL_VERSION);

/** Longest name of who asks, in characters. */
export const MOST_OF_NAME = 200;
/** Longest id or pattern; ids have 100 characters at most. */
const MOST_OF_PATTERN = 300;
const MOST_PATTERNS = 10_000;

const patterns = z.array(z.string().min(1).max(MOST_OF_PATTERN)).max(MOST_PATTERNS);
const by = z.string().min(1).max(MOST_OF_NAME);

export const controlRequestSchema = z.discriminatedUnion('type', [
  /** Whether it answers; the answer has no results. */
  z.strictObject({ version, type: z.literal('ping') }),
  /**
   * Stops workstreams by id, base of a matrix or glob, with the name of who asks. Without any the run is ended, as Ctrl-C
   * does.
   */
  z.strictObject({ version, type: z.literal('stop'), workstreams: patterns, by }),
  /** Opens failed workstreams again, named in the same way. */
  z.strictObject({ version, type: z.literal('retry'), workstreams: patterns.min(1), by }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** What was done about a workstream, or why nothing was. */
const controlDeedSchema = z.enum([
  /** It was being executed, and is told to stop. Its result follows. */
  'stopping',
  /** It had not begun: it has failed without being started. */
  'stopped',
  /** It has its result already. */
  'ended',
  /** It is open again: it follows as soon as an agent is free. */
  'reopened',
  /** It has not ended, so there is nothing to try again. */
  'not-ended',
  /** It completed, or was skipped. */
  'not-failed',
  /** Another attempt can't be made in this run; the text says why. */
  'not-runnable',
  /** The database does not take it now. */
  'not-recorded',
  /** The run is ending, or starts nothing more. */
  'run-ending',
  /** The run has no such workstream. */
  'unknown',
]);
export type ControlDeed = z.infer<typeof controlDeedSchema>;

/** Deeds by which a request was carried out. */
export const DONE: ReadonlySet<ControlDeed> = new Set(['stopping', 'stopped', 'reopened']);

const controlResultSchema = z.object({
  /** As it was asked for where no workstream matches. */
  workstreamId: z.string(),
  did: controlDeedSchema,
  /** The same as a sentence. */
  text: z.string(),
});
export type ControlResult = z.infer<typeof controlResultSchema>;

export const controlAnswerSchema = z.object({
  version,
  runId: z.string(),
  /** One for each workstream; empty where the request was about the run. */
  results: z.array(controlResultSchema),
  /** Whether the run is ending, be it by this request or before. */
  isEnding: z.boolean(),
});
export type ControlAnswer = z.infer<typeof controlAnswerSchema>;

/** In place of an answer: the request could not be read, or not be carried out. */
export const controlRefusalSchema = z.object({ version: z.number(), refused: z.string() });
