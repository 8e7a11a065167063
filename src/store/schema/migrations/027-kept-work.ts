/** What workstreams without a result have done, for the run that is resumed. */
export const keptWork = `
CREATE TABLE kept_candidates (
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  -- From 1: its place among the tools that were given the workstream.
  attempt INTEGER NOT NULL,
  -- Of the definition that it was given.
  definition_hash TEXT NOT NULL,
  -- The candidate, and what its reviewer said of it: JSON. Null where it was not reviewed.
  candidate TEXT NOT NULL,
  review TEXT,
  -- US dollars of both; null where neither is known.
  cost_usd REAL,
  PRIMARY KEY (run_id, workstream_id, attempt)
) WITHOUT ROWID;

CREATE TABLE kept_sessions (
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  step_id TEXT NOT NULL,
  -- From 1: the attempt in which the session began, whose workspace it is in.
  attempt INTEGER NOT NULL,
  definition_hash TEXT NOT NULL,
  tool TEXT NOT NULL,
  session_id TEXT NOT NULL,
  -- Absolute folder of the workspace.
  folder TEXT NOT NULL,
  PRIMARY KEY (run_id, workstream_id, step_id)
) WITHOUT ROWID;
`;
