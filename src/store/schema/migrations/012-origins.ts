/**
 * What a run was started as and on: its label, and what was checked out in the folder of the run. The index of results by
 * run holds all that histories ask of many results, so that these are read without the rows themselves.
 */
export const origins = `
ALTER TABLE consolidated_runs ADD COLUMN label TEXT;
-- Null where the folder is in no git repository, or git did not answer; the branch also where none was checked out.
ALTER TABLE consolidated_runs ADD COLUMN git_commit TEXT;
ALTER TABLE consolidated_runs ADD COLUMN git_branch TEXT;
-- 1 where tracked files differed from the commit.
ALTER TABLE consolidated_runs ADD COLUMN git_dirty INTEGER;

CREATE INDEX consolidated_runs_labelled ON consolidated_runs (label) WHERE label IS NOT NULL;

DROP INDEX agent_results_by_run;
CREATE INDEX agent_results_by_run ON agent_results (
  run_id, status, id, workstream_id, agent_id, duration_seconds, cpu_seconds, has_output,
  cpu_wait_seconds, attempts, definition_hash);
`;
