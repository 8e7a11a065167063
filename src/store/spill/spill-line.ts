/** One line of a spill: a result that the database would not take, so complete that its rows can be made later. */
import { z } from 'zod';
import { type AgentResult, agentResultSchema } from '../../domain/agent-result.ts';

const lineSchema = z.object({
  /** The version of this format. */
  millrace_spill: z.literal(1),
  definition_hash: z.string().nullable(),
  result: agentResultSchema.omit({ definitionHash: true }),
});

/** The line with its line end. */
export function spillLine({ definitionHash, ...result }: AgentResult): string {
  return `${JSON.stringify({ millrace_spill: 1, definition_hash: definitionHash, result })}\n`;
}

/** What a line holds; null for one that is no whole result. */
export function readSpillLine(line: string): AgentResult | null {
  const found = lineSchema.safeParse(parsed(line));
  if (!found.success) return null;
  return { ...found.data.result, definitionHash: found.data.definition_hash };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
