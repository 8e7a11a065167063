/** What is known of a tool's work. Apart from tool.ts, which adapters in the threads use without loading zod. */
import { z } from 'zod';

const count = z.number().int().nonnegative().nullable();

/** What is known of the tokens that a tool used; null where it doesn't say. */
const tokensSchema = z.object({
  input: count,
  output: count,
  /** Of the input, read from a cache. */
  cacheRead: count,
  /** Of the input, written to a cache. */
  cacheWrite: count,
  /** Of the output, spent on reasoning. */
  reasoning: count,
});
export type Tokens = z.infer<typeof tokensSchema>;

/**
 * Kinds of usage limits: `rate` and `window` pass by themselves, of the first after a moment; `cap` is one of money or of an
 * organisation, and `auth` a login that is not accepted, which a person has to change.
 */
export const LIMIT_CLASSES = ['rate', 'window', 'cap', 'auth'] as const;
export type LimitClass = (typeof LIMIT_CLASSES)[number];

const usageLimitSchema = z.object({
  class: z.enum(LIMIT_CLASSES),
  /** When it passes, in milliseconds since 1970; null where the tool does not say. */
  resetsAt: z.number().nullable(),
  /** Whether the tool gave that time as a number. Otherwise it was read from a sentence. */
  exact: z.boolean(),
  /** The tool's own words, on one line. */
  text: z.string(),
});
/** A usage limit that kept a tool from going on. */
export type UsageLimit = z.infer<typeof usageLimitSchema>;

/** What a tool said about its own work, and what was measured. Null means that it can't be known. */
export const toolReportSchema = z.object({
  tool: z.string(),
  /** What `--version` printed. */
  version: z.string().nullable(),
  model: z.string().nullable(),
  sessionId: z.string().nullable(),
  /** Its last message, at most 20,000 characters. */
  text: z.string(),
  tokens: tokensSchema,
  costUsd: z.number().nonnegative().nullable(),
  turns: count,
  toolCalls: count,
  /** Wall time of the program. */
  durationSeconds: z.number().nonnegative(),
  /** The usage limit that ended its work; null for none, and in reports of versions that did not keep it. */
  limit: usageLimitSchema.nullable().catch(null),
});
export type ToolReport = z.infer<typeof toolReportSchema>;

/** What tools used together; null where no tool reported it. */
export interface Spending {
  costUsd: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

/** The sum of what is known; null when nothing is. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

export function spendingOf(reports: readonly ToolReport[]): Spending {
  return {
    costUsd: sumKnown(reports.map(({ costUsd }) => costUsd)),
    inputTokens: sumKnown(reports.map(({ tokens }) => tokens.input)),
    outputTokens: sumKnown(reports.map(({ tokens }) => tokens.output)),
  };
}
