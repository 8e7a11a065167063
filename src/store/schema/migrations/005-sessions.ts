/**
 * What it takes to go on with a run after its process has died. A run that was never interrupted is one session, of
 * which nothing more is written; what is here is null or empty for it.
 */
export const sessions = `
-- JSON object: the options it was last started with, beside folders and what is shown.
ALTER TABLE consolidated_runs ADD COLUMN options TEXT;
-- When it was last resumed.
ALTER TABLE consolidated_runs ADD COLUMN resumed_at TEXT;
-- The run whose failures it tries again.
ALTER TABLE consolidated_runs ADD COLUMN retry_of TEXT;

-- Of the definition that was run; null where it could not be.
ALTER TABLE agent_results ADD COLUMN definition_hash TEXT;

-- The sessions of a run before its last one.
CREATE TABLE run_sessions (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  session INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  -- The last that is known of it: a result, or the start of a workstream; null for nothing.
  last_seen_at TEXT,
  agents_count INTEGER,
  PRIMARY KEY (run_id, session)
) WITHOUT ROWID;
`;
