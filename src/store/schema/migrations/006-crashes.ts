/** What is suspected of having ended the process of its run. */
export const crashes = `
-- Workstreams that were in hand when the run's process died by itself, and at how many such deaths.
CREATE TABLE run_crashes (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  deaths INTEGER NOT NULL,
  PRIMARY KEY (run_id, workstream_id)
) WITHOUT ROWID;
`;
