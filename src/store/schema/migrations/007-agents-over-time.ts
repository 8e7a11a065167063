/** How many agents there were and why, in runs where their number follows the load. */
export const agentsOverTime = `
CREATE TABLE agent_counts (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  at TEXT NOT NULL,
  -- Null at the start of the run, and of each session of one that was resumed.
  from_count INTEGER,
  to_count INTEGER NOT NULL,
  reason TEXT NOT NULL,
  explanation TEXT NOT NULL
);

CREATE INDEX agent_counts_by_run ON agent_counts (run_id, id);
`;
