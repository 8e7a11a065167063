/** What is known of workstreams on GitHub: their numbers there, and what was said of their work. Read and kept. */
import { z } from 'zod';
import type { AgentResult } from '../../domain/agent-result.ts';
import { resultsById } from '../read/results.ts';
import { rows } from '../read/rows.ts';
import { type Connection, statement } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

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

const SAVE_LINK = `
INSERT INTO github_links (repository, kind, subject, number) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET number = excluded.number WHERE number <> excluded.number`;

export interface GitHubLink {
  /** As `host/owner/name`. */
  repository: string;
  kind: LinkKind;
  /** The id of a workstream, or of a run. */
  subject: string;
  number: number;
}

/** Keeps the number of an issue or a pull request in place of the one it had. @throws StoreError */
export function saveLink(connection: Connection, { repository, kind, subject, number }: GitHubLink): void {
  refusalsAsStoreError(connection, () =>
    statement(connection, SAVE_LINK).run(repository, kind, subject, number),
  );
}

const SAVE_FEEDBACK = `
INSERT INTO workstream_feedback (workstream_id, run_id, created_at, text) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET run_id = excluded.run_id, created_at = excluded.created_at, text = excluded.text
WHERE text <> excluded.text`;

export interface Feedback {
  workstreamId: string;
  /** The run whose work it is about. */
  runId: string;
  /** Redacted. */
  text: string;
}

/** Keeps what the next attempt at a workstream is told. Nothing is written where that is known. @throws StoreError */
export function saveFeedback(connection: Connection, { workstreamId, runId, text }: Feedback): void {
  refusalsAsStoreError(connection, () =>
    statement(connection, SAVE_FEEDBACK).run(workstreamId, runId, new Date().toISOString(), text),
  );
}

function refusalsAsStoreError(connection: Connection, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}
