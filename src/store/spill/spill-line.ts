/** One line of a spill: a result that the database would not take, so complete that its rows can be made later. */
import { z } from 'zod';
import { agentResultSchema } from '../../domain/agent-result.ts';
import type { StoredResult } from '../schema/result-tables.ts';

const lineSchema = z.object({
  /** The version of this format. */
  millrace_spill: z.literal(1),
  definition_hash: z.string().nullable(),
  result: agentResultSchema,
});

/** The line with its line end. */
export function spillLine({ definitionHash, result }: StoredResult): string {
  return `${JSON.stringify({ millrace_spill: 1, definition_hash: definitionHash, result })}\n`;
}

/** What a line holds; null for one that is no whole result. */
export function readSpillLine(line: string): StoredResult | null {
  const found = lineSchema.safeParse(parsed(line));
  if (!found.success) return null;
  return { definitionHash: found.data.definition_hash, result: found.data.result };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
