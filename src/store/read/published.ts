/** Reads what is known of workstreams on GitHub: their numbers there, what was said of their work, their last results. */
import { z } from 'zod';
import type { AgentResult } from '../../domain/agent-result.ts';
import type { Connection } from '../schema/connection.ts';
import { resultsById } from './results.ts';
import { rows } from './rows.ts';

/** What a number on GitHub stands for. */
export type LinkKind = 'issue' | 'pull';

const linkRow = z.object({ subject: z.string(), number: z.number() });
const LINKS = 'SELECT subject, number FROM github_links WHERE repository = ? AND kind = ?';

/**
 * The numbers of issues or pull requests, by what they are of: the id of a workstream, or of a run.
 * @param repository as `host/owner/name`.
 */
export function linksOf(connection: Connection, repository: string, kind: LinkKind): Map<string, number> {
  const found = rows(connection, linkRow, LINKS, repository, kind);
  return new Map(found.map(({ subject, number }) => [subject, number]));
}

const feedbackRow = z.object({ workstream_id: z.string(), text: z.string() });

/** What was said before a run began that completed the workstream has been acted on. Later runs are few. */
const FEEDBACK = `
SELECT f.workstream_id, f.text FROM json_each(?) wanted
JOIN workstream_feedback f ON f.workstream_id = wanted.value
WHERE NOT EXISTS (
  SELECT 1 FROM consolidated_runs c JOIN agent_results r
  ON r.run_id = c.run_id AND r.workstream_id = f.workstream_id AND r.attempts IS NOT NULL
  WHERE c.created_at > f.created_at AND r.status = 'completed')`;

/** What the next attempts at these workstreams are to be told, by id; those without feedback are left out. */
export function feedbackOf(connection: Connection, ids: readonly string[]): Map<string, string> {
  const found = rows(connection, feedbackRow, FEEDBACK, JSON.stringify(ids));
  return new Map(found.map((row) => [row.workstream_id, row.text]));
}

const idRow = z.object({ id: z.number().nullable() });

/** Run by run from the newest on, because results have no index by workstream alone. */
const LATEST = `
SELECT (
  SELECT r.id FROM consolidated_runs c JOIN agent_results r
  ON r.run_id = c.run_id AND r.workstream_id = wanted.value AND r.attempts IS NOT NULL
  ORDER BY c.rowid DESC LIMIT 1) AS id
FROM json_each(?) wanted`;

/** The last result of each of these workstreams, of any run, by id; those without one are left out. */
export function latestResults(connection: Connection, ids: readonly string[]): Map<string, AgentResult> {
  const found = rows(connection, idRow, LATEST, JSON.stringify(ids)).flatMap(({ id }) => id ?? []);
  return new Map([...resultsById(connection, found)].map((result) => [result.workstreamId, result]));
}
