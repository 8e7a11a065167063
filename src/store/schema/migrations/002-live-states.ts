/**
 * What a run needs to be followed, resumed, and asked about fast. The new columns are null in rows of the older
 * system; `attempts` is never null in ours, which is how the two are told apart.
 */
export const liveStates = `
ALTER TABLE consolidated_runs ADD COLUMN state TEXT CHECK (state IN ('running', 'ended', 'interrupted'));
ALTER TABLE consolidated_runs ADD COLUMN ended_at TEXT;
ALTER TABLE consolidated_runs ADD COLUMN exit_code INTEGER;
ALTER TABLE consolidated_runs ADD COLUMN agents_count INTEGER;
-- The process that writes the run: its id, when it started (as the system counts), and its machine.
ALTER TABLE consolidated_runs ADD COLUMN pid INTEGER;
ALTER TABLE consolidated_runs ADD COLUMN pid_started TEXT;
ALTER TABLE consolidated_runs ADD COLUMN hostname TEXT;

CREATE INDEX consolidated_runs_running ON consolidated_runs (run_id) WHERE state = 'running';

ALTER TABLE agent_results ADD COLUMN title TEXT;
ALTER TABLE agent_results ADD COLUMN reason TEXT;
ALTER TABLE agent_results ADD COLUMN explanation TEXT;
ALTER TABLE agent_results ADD COLUMN cpu_seconds REAL;
ALTER TABLE agent_results ADD COLUMN cpu_wait_seconds REAL;
ALTER TABLE agent_results ADD COLUMN attempts INTEGER;
ALTER TABLE agent_results ADD COLUMN log_file TEXT;
-- 1 where metadata holds an output or metrics.
ALTER TABLE agent_results ADD COLUMN has_output INTEGER;

CREATE UNIQUE INDEX agent_results_once ON agent_results (run_id, workstream_id) WHERE attempts IS NOT NULL;
-- Holds all that is counted and ranked, so that no long output is read for a number; in the order of arrival, so
-- that new rows go to its end.
CREATE INDEX agent_results_by_run
  ON agent_results (run_id, status, id, workstream_id, agent_id, duration_seconds, cpu_seconds, has_output);

ALTER TABLE consolidated_errors ADD COLUMN pattern TEXT;
ALTER TABLE consolidated_errors ADD COLUMN tail TEXT;
ALTER TABLE consolidated_errors ADD COLUMN log_file TEXT;

CREATE INDEX consolidated_errors_by_pattern
  ON consolidated_errors (run_id, error_type, pattern, workstream_id);
CREATE INDEX consolidated_errors_by_workstream ON consolidated_errors (run_id, workstream_id);

-- The live states of a run. A row counts as long as its workstream has no result; they are dropped when the run ends.
-- What is left of a run whose process died is what it did not finish.
CREATE TABLE run_workstreams (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  title TEXT NOT NULL,
  file TEXT NOT NULL,
  definition_hash TEXT NOT NULL,
  depends_on TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'blocked', 'running')),
  agent_id TEXT,
  since TEXT,
  fraction REAL,
  activity TEXT,
  PRIMARY KEY (run_id, workstream_id)
) WITHOUT ROWID;

-- The last time each workstream completed, in whichever run that has ended.
CREATE TABLE workstream_durations (
  workstream_id TEXT PRIMARY KEY,
  duration_seconds REAL,
  definition_hash TEXT NOT NULL,
  run_id TEXT NOT NULL
) WITHOUT ROWID;
`;
