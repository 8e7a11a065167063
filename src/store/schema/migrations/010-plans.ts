/**
 * The plan of a run as a few rows of many workstreams each, and a row of its own only for a workstream that is in hand:
 * what a workstream that does nothing costs is a part of the results, not more than them. When a workstream last
 * completed follows from the results too.
 */
export const plans = `
-- What a run that has not ended is to run; dropped when it ends. What has no result is what it has not finished.
CREATE TABLE run_plans (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  -- Place of the first workstream of the row in the order in which they are handed out, from 0.
  first INTEGER NOT NULL,
  -- JSON array of objects, one a workstream: its id, its file, its title unless that is the id, and as needs the ids of
  -- those workstreams of the plan that it waits for, if any.
  workstreams TEXT NOT NULL,
  PRIMARY KEY (run_id, first)
);

-- What agents have in hand. A row counts as long as its workstream has no result.
CREATE TABLE workstreams_in_hand (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  agent_id TEXT,
  since TEXT,
  fraction REAL,
  activity TEXT,
  PRIMARY KEY (run_id, workstream_id)
) WITHOUT ROWID;

-- Before version 5 no result said of which definition it is.
UPDATE agent_results AS r SET definition_hash = COALESCE(
  (SELECT w.definition_hash FROM run_workstreams w WHERE w.run_id = r.run_id AND w.workstream_id = r.workstream_id),
  (SELECT d.definition_hash FROM workstream_durations d WHERE d.run_id = r.run_id AND d.workstream_id = r.workstream_id))
WHERE definition_hash IS NULL AND attempts IS NOT NULL AND reason IS NULL;

INSERT INTO run_plans (run_id, first, workstreams)
SELECT run_id, MIN(place), json_group_array(json_object('id', workstream_id, 'title', title, 'file', file, 'needs', (
    SELECT json_group_array(n.value ->> 'id') FROM json_each(w.depends_on) n WHERE w.state = 'blocked' AND EXISTS (
      SELECT 1 FROM run_workstreams p WHERE p.run_id = w.run_id AND p.workstream_id = n.value ->> 'id'))) ORDER BY place)
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY position) - 1 AS place
  FROM run_workstreams JOIN consolidated_runs USING (run_id) WHERE consolidated_runs.state IN ('running', 'interrupted')) w
GROUP BY run_id, place / 500;

INSERT INTO workstreams_in_hand (run_id, workstream_id, agent_id, since, fraction, activity)
SELECT run_id, workstream_id, agent_id, since, fraction, activity FROM run_workstreams WHERE state = 'running';

DROP TABLE run_workstreams;
DROP TABLE workstream_durations;

-- The workstreams of the plans one by one, for queries.
CREATE VIEW run_workstreams AS
SELECT p.run_id, w.value ->> 'id' AS workstream_id, p.first + w.key AS position,
  COALESCE(w.value ->> 'title', w.value ->> 'id') AS title, w.value ->> 'file' AS file,
  COALESCE(w.value -> 'needs', '[]') AS depends_on,
  CASE WHEN h.workstream_id IS NOT NULL THEN 'running' WHEN EXISTS (
    SELECT 1 FROM json_each(w.value, '$.needs') n WHERE NOT EXISTS (
      SELECT 1 FROM agent_results r
      WHERE r.run_id = p.run_id AND r.workstream_id = n.value AND r.attempts IS NOT NULL))
  THEN 'blocked' ELSE 'pending' END AS state,
  h.agent_id, h.since, h.fraction, h.activity
FROM run_plans p CROSS JOIN json_each(p.workstreams) w
LEFT JOIN workstreams_in_hand h ON h.run_id = p.run_id AND h.workstream_id = w.value ->> 'id';

-- Results of which more is to be told than that they completed: what reports list is found among these few.
CREATE INDEX agent_results_noted ON agent_results (run_id)
WHERE status <> 'completed' OR attempts > 1 OR has_output = 1 OR tool IS NOT NULL OR branch IS NOT NULL
  OR merge_status IS NOT NULL OR files_modified <> '[]' OR commits_created <> '[]' OR warnings <> '[]'
  OR test_results <> '{"total":0,"passed":0,"failed":0,"manual":0,"cases":null,"tests":[]}';
`;
