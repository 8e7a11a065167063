/** Keeps what is known of workstreams on GitHub. */
import type { LinkKind } from '../read/published.ts';
import { type Connection, statement } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

const LINK = `
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
  refusalsAsStoreError(connection, () => statement(connection, LINK).run(repository, kind, subject, number));
}

const FEEDBACK = `
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
    statement(connection, FEEDBACK).run(workstreamId, runId, new Date().toISOString(), text),
  );
}

function refusalsAsStoreError(connection: Connection, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}
