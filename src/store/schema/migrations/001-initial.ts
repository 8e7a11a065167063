/**
 * The three tables that people query by hand. `IF NOT EXISTS`, because a database made by the older system has them
 * already and is taken over as it is.
 */
export const initial = `
CREATE TABLE IF NOT EXISTS consolidated_runs (
  run_id TEXT PRIMARY KEY,
  timestamp TEXT NOT NULL,
  total_workstreams INTEGER NOT NULL DEFAULT 0,
  completed_count INTEGER NOT NULL DEFAULT 0,
  failed_count INTEGER NOT NULL DEFAULT 0,
  skipped_count INTEGER NOT NULL DEFAULT 0,
  total_files_modified INTEGER NOT NULL DEFAULT 0,
  total_commits INTEGER NOT NULL DEFAULT 0,
  total_errors INTEGER NOT NULL DEFAULT 0,
  total_warnings INTEGER NOT NULL DEFAULT 0,
  execution_summary TEXT,
  recommendations TEXT,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS agent_results (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  status TEXT NOT NULL,
  start_time TEXT,
  end_time TEXT,
  duration_seconds REAL,
  files_modified TEXT,
  commits_created TEXT,
  errors TEXT,
  warnings TEXT,
  test_results TEXT,
  metadata TEXT
);

CREATE TABLE IF NOT EXISTS consolidated_errors (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  error_type TEXT,
  error_message TEXT,
  workstream_id TEXT,
  agent_id TEXT,
  timestamp TEXT,
  stack_trace TEXT
);
`;
