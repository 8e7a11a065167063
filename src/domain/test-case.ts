/** What an acceptance test printed or wrote about the single tests that it ran. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const testCountsSchema = z.object({ total: count, passed: count, failed: count, skipped: count });
/** `total` is the sum of the others. Tests that are expected to fail, or still to be written, count as skipped. */
export type TestCounts = z.infer<typeof testCountsSchema>;

export const testCaseSchema = z.object({
  /** File, class or group, as far as the tool says; empty where it doesn't. At most 300 characters. */
  suite: z.string(),
  /** At most 300 characters. */
  name: z.string(),
  status: z.enum(['passed', 'failed', 'skipped']),
  /** Null where the tool doesn't say. */
  durationSeconds: z.number().nonnegative().nullable(),
  /** What a failed test said, at most 2,000 characters; null for the others and where nothing was said. */
  message: z.string().nullable(),
});
/** One test among those that an acceptance test ran. */
export type TestCase = z.infer<typeof testCaseSchema>;
