/** How a run under way is reached, and which of its results were withdrawn because a workstream is tried again. */
export const acting = `
-- Where the process of a run that is under way takes requests; null where it takes none, and once it has ended.
ALTER TABLE consolidated_runs ADD COLUMN control_socket TEXT;

CREATE INDEX consolidated_runs_reachable ON consolidated_runs (run_id) WHERE control_socket IS NOT NULL;

-- Results that are not there any more, because a person asked in the run for another attempt. The ids of rows are used
-- again, so that who follows the results of a run by their ids has to look here too.
CREATE TABLE reopened (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  at TEXT NOT NULL,
  -- Who asked.
  "by" TEXT NOT NULL
);

CREATE INDEX reopened_by_run ON reopened (run_id, id);
`;
