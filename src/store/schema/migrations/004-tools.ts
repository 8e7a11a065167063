/**
 * What tools did and cost, every attempt of a workstream that was tried more than once or used a tool, and what became
 * of its work.
 */
export const tools = `
-- JSON array; null where the agents are agent-1 to agent-N.
ALTER TABLE consolidated_runs ADD COLUMN agent_names TEXT;

-- Of the last attempt.
ALTER TABLE agent_results ADD COLUMN tool TEXT;
ALTER TABLE agent_results ADD COLUMN model TEXT;
-- Of all attempts together, as far as it is known.
ALTER TABLE agent_results ADD COLUMN cost_usd REAL;
ALTER TABLE agent_results ADD COLUMN input_tokens INTEGER;
ALTER TABLE agent_results ADD COLUMN output_tokens INTEGER;
-- The branch that holds its commits, and what became of them in the run's own branch.
ALTER TABLE agent_results ADD COLUMN branch TEXT;
ALTER TABLE agent_results ADD COLUMN merge_status TEXT;

CREATE TABLE workstream_attempts (
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  agent_id TEXT NOT NULL,
  tool TEXT,
  model TEXT,
  -- Null for the attempt that completed.
  reason TEXT,
  explanation TEXT,
  start_time TEXT,
  duration_seconds REAL,
  cost_usd REAL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  content_hash TEXT,
  log_file TEXT,
  PRIMARY KEY (run_id, workstream_id, attempt)
) WITHOUT ROWID;
`;
