/** One line of a spill: a result that the database would not take, so complete that its rows can be made later. */
import { z } from 'zod';
import { shapeOfError } from '../../analysis/patterns/error-shape.ts';
import { type AgentResult, agentResultSchema } from '../../domain/agent-result.ts';
import type { AttemptRecord } from '../../domain/attempt.ts';

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
  return withShapes({ ...found.data.result, definitionHash: found.data.definition_hash });
}

/** A spill may be of an earlier version, which made shapes by other rules: they are made anew. */
function withShapes(result: AgentResult): AgentResult {
  const [error] = result.errors;
  const { tail, earlierAttempts } = result.metadata;
  return {
    ...result,
    pattern: result.pattern === null || error === undefined ? null : shapeOfError({ ...error, tail }),
    metadata: { ...result.metadata, earlierAttempts: earlierAttempts.map(withShape) },
  };
}

function withShape(attempt: AttemptRecord): AttemptRecord {
  const { pattern, reason, explanation, failure } = attempt;
  if (pattern === null || reason === null) return attempt;
  const tail =
    failure !== null && 'tail' in failure && typeof failure.tail === 'string' ? failure.tail : null;
  return { ...attempt, pattern: shapeOfError({ type: reason, message: explanation ?? '', tail }) };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
