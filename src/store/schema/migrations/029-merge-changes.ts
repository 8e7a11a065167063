/** Which results say something else of their merges than when they were written. */
export const mergeChanges = `
-- Who follows the results of a run by the ids of their rows looks here for rows that have changed.
CREATE TABLE merge_changes (
  run_id TEXT NOT NULL,
  -- From 1 in each run, in the order of the changes.
  number INTEGER NOT NULL,
  workstream_id TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

-- Also of processes that began when there was no such table.
CREATE TRIGGER agent_results_merge_changed AFTER UPDATE OF merge_status, merge_partner, merge_test ON agent_results
BEGIN
  INSERT INTO merge_changes (run_id, number, workstream_id)
  VALUES (NEW.run_id, 1 + COALESCE((SELECT MAX(number) FROM merge_changes WHERE run_id = NEW.run_id), 0), NEW.workstream_id);
END;
`;
