/**
 * The values of sweeps, and views of what is asked by hand most often: by which values a workstream was run, what came of
 * it, and how it went in every run. Values in results of earlier versions were not kept.
 */
export const sweeps = `
-- 1 for a member of a matrix, whose values are in metadata. Null in rows of earlier versions.
ALTER TABLE agent_results ADD COLUMN has_matrix INTEGER;
-- How many metrics it reported over time; their points are in metadata.
ALTER TABLE agent_results ADD COLUMN series_count INTEGER;

-- How many files there are among its declared outputs; their sizes and hashes are in metadata.
ALTER TABLE agent_results ADD COLUMN output_files INTEGER;

-- The results of sweeps, and those with series, found without a look at the others.
CREATE INDEX agent_results_of_matrices ON agent_results (run_id) WHERE has_matrix = 1;
CREATE INDEX agent_results_with_series ON agent_results (run_id) WHERE series_count > 0;
CREATE INDEX agent_results_with_files ON agent_results (run_id) WHERE output_files > 0;

-- A row for each value of each member of a matrix. What is an object or an array is JSON.
CREATE VIEW run_matrix AS
SELECT r.run_id, r.workstream_id, r.status, m.key AS name, m.value AS value, m.type AS type
FROM agent_results r
CROSS JOIN json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ELSE '{}' END, '$.matrix') m
WHERE r.has_matrix = 1;

-- A row for each value of an output, by its dotted name, and for each metric. Arrays are JSON. An output that is no
-- object is called output.
CREATE VIEW run_outputs AS
SELECT r.run_id, r.workstream_id, r.status, 'output' AS kind,
  CASE WHEN o.fullkey = '$.output' THEN 'output' ELSE replace(substr(o.fullkey, 10), '"', '') END AS name,
  o.value AS value, o.type AS type
FROM agent_results r
CROSS JOIN json_tree(CASE WHEN json_valid(r.metadata) THEN r.metadata ELSE '{}' END, '$.output') o
WHERE r.has_output = 1 AND (o.type <> 'object' OR o.value = '{}') AND o.path NOT GLOB '*[[][0-9]*'
  AND (o.fullkey = '$.output' OR typeof(o.key) = 'text')
UNION ALL
SELECT r.run_id, r.workstream_id, r.status, 'metric', m.key, m.value, m.type
FROM agent_results r
CROSS JOIN json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ELSE '{}' END, '$.metrics') m
WHERE r.has_output = 1;

-- A row for each file that a workstream declares as its output and made.
CREATE VIEW run_output_files AS
SELECT r.run_id, r.workstream_id, r.status, f.value ->> 'path' AS path, f.value ->> 'bytes' AS bytes,
  f.value ->> 'sha256' AS sha256, f.value ->> 'problem' AS problem
FROM agent_results r
CROSS JOIN json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ELSE '{}' END, '$.outputs') f
WHERE r.output_files > 0;

-- Every result of a workstream over the runs, with the one before it. is_changed is 1 where its definition is another one
-- than then; null where that is not known.
CREATE VIEW workstream_history AS
SELECT r.workstream_id, r.run_id, c.created_at, c.label, r.title, r.status, r.reason, r.explanation, r.agent_id, r.attempts,
  r.duration_seconds, r.cpu_seconds, r.definition_hash,
  LAG(r.run_id) OVER runs AS previous_run_id, LAG(r.status) OVER runs AS previous_status,
  LAG(r.duration_seconds) OVER runs AS previous_duration_seconds,
  r.definition_hash <> LAG(r.definition_hash) OVER runs AS is_changed
FROM agent_results r JOIN consolidated_runs c ON c.run_id = r.run_id
WINDOW runs AS (PARTITION BY r.workstream_id ORDER BY c.created_at, r.id);
`;
