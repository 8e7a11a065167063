/** The single tests that acceptance tests ran. All failed ones up to 200 a test are here, then others up to 1,000. */
export const testCases = `
CREATE TABLE test_cases (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  -- Name of the acceptance test or gate, and its place in the list of the workstream's tests, from 0.
  acceptance_test TEXT NOT NULL,
  position INTEGER NOT NULL,
  suite TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('passed', 'failed', 'skipped')),
  duration_seconds REAL,
  message TEXT
);

CREATE INDEX test_cases_by_run ON test_cases (run_id, workstream_id, position);
-- What a report lists: without the many that passed.
CREATE INDEX test_cases_failed ON test_cases (run_id, id) WHERE status = 'failed';
`;
