/** Reads what workstreams had done when the process of their run ended. */
import { z } from 'zod';
import { type EarlierCandidate, type KeptSession, keptCandidateSchema } from '../../domain/kept-work.ts';
import { reviewRecordSchema } from '../../domain/policy/review.ts';
import { jsonCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { rows } from './rows.ts';

const candidateRow = z.object({
  workstream_id: z.string(),
  definition_hash: z.string(),
  candidate: z.string(),
  review: z.string().nullable(),
});
const candidateCell = keptCandidateSchema.nullable().catch(null);
const reviewCell = reviewRecordSchema.nullable().catch(null);

/** Candidates of these workstreams that ended, in their order, by workstream. One that another version stored is left out. */
export function keptCandidates(
  connection: Connection,
  runId: string,
  ids: readonly string[],
): Map<string, EarlierCandidate[]> {
  const sql = `
    SELECT k.workstream_id, k.definition_hash, k.candidate, k.review FROM json_each(?) wanted
    CROSS JOIN kept_candidates k ON k.run_id = ? AND k.workstream_id = wanted.value
    ORDER BY k.workstream_id, k.attempt`;
  const found = new Map<string, EarlierCandidate[]>();
  for (const row of rows(connection, candidateRow, sql, JSON.stringify(ids), runId)) {
    const candidate = jsonCell(candidateCell, row.candidate);
    if (candidate === null) continue;
    const { definition_hash: definitionHash, workstream_id: id } = row;
    const review = jsonCell(reviewCell, row.review);
    found.set(id, [...(found.get(id) ?? []), { candidate, definitionHash, review }]);
  }
  return found;
}

const sessionRow = z.object({
  workstream_id: z.string(),
  step_id: z.string(),
  attempt: z.number(),
  definition_hash: z.string(),
  tool: z.string(),
  session_id: z.string(),
  folder: z.string(),
});

/** Sessions of tools in the last attempts at these workstreams, by workstream. */
export function keptSessions(
  connection: Connection,
  runId: string,
  ids: readonly string[],
): Map<string, KeptSession[]> {
  const sql = `
    SELECT s.* FROM json_each(?) wanted
    CROSS JOIN kept_sessions s ON s.run_id = ? AND s.workstream_id = wanted.value
    WHERE s.attempt = (SELECT MAX(attempt) FROM kept_sessions last
      WHERE last.run_id = s.run_id AND last.workstream_id = s.workstream_id)
    ORDER BY s.workstream_id, s.step_id`;
  const found = new Map<string, KeptSession[]>();
  for (const row of rows(connection, sessionRow, sql, JSON.stringify(ids), runId)) {
    const { workstream_id: id, attempt, tool, folder } = row;
    const session = { stepId: row.step_id, sessionId: row.session_id, definitionHash: row.definition_hash };
    found.set(id, [...(found.get(id) ?? []), { ...session, attempt, tool, folder }]);
  }
  return found;
}
