/** Where workstreams are on GitHub, and what was said there of their work. */
export const github = `
CREATE TABLE github_links (
  -- host/owner/name
  repository TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('issue', 'pull')),
  -- Id of a workstream, without the part that a matrix adds; of a pull request for a whole run the id of the run.
  subject TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (repository, kind, subject)
) WITHOUT ROWID;

-- What the next attempt at a workstream is told: failed checks and review comments of a pull request.
CREATE TABLE workstream_feedback (
  workstream_id TEXT PRIMARY KEY,
  -- The run whose work it is about.
  run_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  text TEXT NOT NULL
) WITHOUT ROWID;
`;
