/** Runs whose workstreams are executed by hosts of a queue, so that one that is resumed goes on with what those have. */
export const queueRuns = `
CREATE TABLE queue_runs (
  run_id TEXT PRIMARY KEY REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  -- In the id of each of its jobs.
  nonce TEXT NOT NULL,
  -- Where hosts get the files from: JSON.
  source TEXT NOT NULL
) WITHOUT ROWID;
`;
