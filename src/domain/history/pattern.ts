/** Groups of errors that are one error, with an identity that lasts over runs. */
import { z } from 'zod';
import type { Association, PatternHistory } from './history.ts';

/** What stands in one hole of a template, over the errors of a group, the most frequent first. */
interface PatternValues {
  /** Which hole of the template, from 0. */
  hole: number;
  /** How many different texts stand there. */
  distinct: number;
  shown: { text: string; count: number }[];
}

/** A group of errors that are one error. */
export interface ErrorPattern {
  /** Its identity over runs: `p-` and 8 hexadecimal digits. */
  id: string;
  /** The failure's reason. */
  type: string;
  /** The template: what the messages have in common, with `<*>` for what differs. */
  pattern: string;
  /** The line of the example that tells what went wrong: of its output where the message says nothing. */
  telling: string;
  count: number;
  /** Up to 20 workstreams that have it, in the order of their results. */
  workstreams: string[];
  /** Of each hole in which something differs. */
  values: PatternValues[];
  /** File and function of the topmost stack frame that is neither Node's nor a package's, the most frequent first. */
  places: { place: string; count: number }[];
  example: ErrorExample;
  /** What is known of it from earlier runs; null where it was not asked for. */
  history: PatternHistory | null;
  /** What it is seen more often with than without, in earlier runs and this one. */
  goesWith: Association[];
  /** While its run is under way: ids of patterns that become a part of it at the end of the run. Left out where there are none. */
  merged?: string[] | undefined;
}

/** Workstreams of a pattern that are named where there is little room. */
const NAMED = 3;

/** The first workstreams of a pattern, and how many of its errors are not theirs. */
export const firstWorkstreams = ({
  workstreams,
  count,
}: Pick<ErrorPattern, 'workstreams' | 'count'>): { named: string[]; left: number } => {
  const named = workstreams.slice(0, NAMED);
  return { named, left: Math.max(0, count - named.length) };
};

/** One error of a group, whole. */
export interface ErrorExample {
  workstreamId: string;
  agentId: string;
  message: string;
  stack: string | null;
  tail: string | null;
  logFile: string | null;
}

export const namedPatternSchema = z.object({
  id: z.string(),
  /** The failure's reason. */
  type: z.string(),
  /** What its messages have in common. */
  pattern: z.string(),
});
/** A pattern, as far as it takes to name it. */
export type NamedPattern = z.infer<typeof namedPatternSchema>;

/** A pattern over all runs, as `patterns --json` prints it. */
export const patternOfRunsSchema = namedPatternSchema.extend({
  /** Its errors in all runs. */
  count: z.int().nonnegative(),
  workstreams: z.int().nonnegative(),
  runs: z.int().nonnegative(),
  /** Ids of the first and of the last run that had it. */
  firstSeen: z.string(),
  lastSeen: z.string(),
});
export type PatternOfRuns = z.infer<typeof patternOfRunsSchema>;

/** `patterns --json`. Fields may be added within a version. */
export const patternsDocumentSchema = z.object({
  version: z.literal(1),
  /** The most frequent first. */
  patterns: z.array(patternOfRunsSchema),
});
export type PatternsDocument = z.infer<typeof patternsDocumentSchema>;
