CREATE TABLE agent_counts (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  at TEXT NOT NULL,
  -- Null at the start of the run, and of each session of one that was resumed.
  from_count INTEGER,
  to_count INTEGER NOT NULL,
  reason TEXT NOT NULL,
  explanation TEXT NOT NULL
);

CREATE INDEX agent_counts_by_run ON agent_counts (run_id, id);

CREATE TRIGGER agent_results_merge_changed AFTER UPDATE OF merge_status, merge_partner, merge_test ON agent_results
BEGIN
  INSERT INTO merge_changes (run_id, number, workstream_id)
  VALUES (NEW.run_id, 1 + COALESCE((SELECT MAX(number) FROM merge_changes WHERE run_id = NEW.run_id), 0), NEW.workstream_id);
END;

CREATE TABLE agent_results (
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
, title TEXT, reason TEXT, explanation TEXT, cpu_seconds REAL, cpu_wait_seconds REAL, attempts INTEGER, log_file TEXT, has_output INTEGER, tool TEXT, model TEXT, cost_usd REAL, input_tokens INTEGER, output_tokens INTEGER, branch TEXT, merge_status TEXT, definition_hash TEXT, failure TEXT, has_matrix INTEGER, series_count INTEGER, output_files INTEGER, usage TEXT, from_run TEXT, saved_seconds REAL, merge_partner TEXT, merge_test TEXT);

CREATE INDEX agent_results_by_run ON agent_results (
  run_id, status, id, workstream_id, agent_id, duration_seconds, cpu_seconds, has_output,
  cpu_wait_seconds, attempts, definition_hash);

CREATE INDEX agent_results_noted ON agent_results (run_id)
WHERE status <> 'completed' OR attempts > 1 OR tool IS NOT NULL OR branch IS NOT NULL
  OR merge_status IS NOT NULL OR files_modified <> '[]' OR commits_created <> '[]' OR warnings <> '[]'
  OR test_results <> '{"total":0,"passed":0,"failed":0,"manual":0,"cases":null,"tests":[]}';

CREATE INDEX agent_results_of_matrices ON agent_results (run_id) WHERE has_matrix = 1;

CREATE UNIQUE INDEX agent_results_once ON agent_results (run_id, workstream_id) WHERE attempts IS NOT NULL;

CREATE INDEX agent_results_taken_over ON agent_results (run_id) WHERE from_run IS NOT NULL;

CREATE INDEX agent_results_usage ON agent_results (run_id) WHERE usage IS NOT NULL;

CREATE INDEX agent_results_with_files ON agent_results (run_id) WHERE output_files > 0;

CREATE INDEX agent_results_with_series ON agent_results (run_id) WHERE series_count > 0;

CREATE TABLE consolidated_errors (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  error_type TEXT,
  error_message TEXT,
  workstream_id TEXT,
  agent_id TEXT,
  timestamp TEXT,
  stack_trace TEXT
, pattern TEXT, tail TEXT, log_file TEXT, shape_id TEXT);

CREATE INDEX consolidated_errors_by_shape ON consolidated_errors (shape_id, run_id, workstream_id);

CREATE INDEX consolidated_errors_by_workstream ON consolidated_errors (run_id, workstream_id);

CREATE TABLE consolidated_runs (
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
, state TEXT CHECK (state IN ('running', 'ended', 'interrupted')), ended_at TEXT, exit_code INTEGER, agents_count INTEGER, pid INTEGER, pid_started TEXT, hostname TEXT, agent_names TEXT, options TEXT, resumed_at TEXT, retry_of TEXT, boot_id TEXT, pid_namespace TEXT, heartbeat_at TEXT, label TEXT, git_commit TEXT, git_branch TEXT, git_dirty INTEGER, control_socket TEXT);

CREATE INDEX consolidated_runs_labelled ON consolidated_runs (label) WHERE label IS NOT NULL;

CREATE INDEX consolidated_runs_reachable ON consolidated_runs (run_id) WHERE control_socket IS NOT NULL;

CREATE INDEX consolidated_runs_running ON consolidated_runs (run_id) WHERE state = 'running';

CREATE TABLE error_patterns (
  pattern_id TEXT PRIMARY KEY,
  error_type TEXT NOT NULL,
  -- What its errors have in common so far, holes as <*>.
  template TEXT NOT NULL,
  -- When its first error was recorded: of patterns that become one the oldest keeps its id.
  created_at TEXT NOT NULL,
  -- The pattern that it is a part of now.
  merged_into TEXT
) WITHOUT ROWID;

CREATE TABLE error_shapes (
  shape_id TEXT PRIMARY KEY,
  error_type TEXT NOT NULL,
  shape TEXT NOT NULL,
  -- How many places it has: only shapes with the same number may become one pattern. 0 for one that is not merged.
  places INTEGER NOT NULL,
  pattern_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX error_shapes_by_pattern ON error_shapes (pattern_id);

CREATE INDEX error_shapes_by_places ON error_shapes (error_type, places);

CREATE VIEW errors_by_pattern AS
SELECT COALESCE(s.pattern_id, 'p-' || substr(e.shape_id, instr(e.shape_id, '-') + 1, 8)) AS pattern_id,
  e.id, e.run_id, e.workstream_id, e.error_type, e.error_message
FROM consolidated_errors e LEFT JOIN error_shapes s ON s.shape_id = e.shape_id;

CREATE TABLE github_links (
  -- host/owner/name
  repository TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('issue', 'pull')),
  -- Id of a workstream, without the part that a matrix adds; of a pull request for a whole run the id of the run.
  subject TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (repository, kind, subject)
) WITHOUT ROWID;

CREATE TABLE kept_candidates (
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  -- From 1: its place among the tools that were given the workstream.
  attempt INTEGER NOT NULL,
  -- Of the definition that it was given.
  definition_hash TEXT NOT NULL,
  -- The candidate, and what its reviewer said of it: JSON. Null where it was not reviewed.
  candidate TEXT NOT NULL,
  review TEXT,
  -- US dollars of both; null where neither is known.
  cost_usd REAL,
  PRIMARY KEY (run_id, workstream_id, attempt)
) WITHOUT ROWID;

CREATE TABLE kept_sessions (
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  step_id TEXT NOT NULL,
  -- From 1: the attempt in which the session began, whose workspace it is in.
  attempt INTEGER NOT NULL,
  definition_hash TEXT NOT NULL,
  tool TEXT NOT NULL,
  session_id TEXT NOT NULL,
  -- Absolute folder of the workspace.
  folder TEXT NOT NULL,
  PRIMARY KEY (run_id, workstream_id, step_id)
) WITHOUT ROWID;

CREATE TABLE merge_changes (
  run_id TEXT NOT NULL,
  -- From 1 in each run, in the order of the changes.
  number INTEGER NOT NULL,
  workstream_id TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

CREATE TABLE parked_tools (
  id INTEGER PRIMARY KEY,
  -- The run that met the limit; the tool waits for all runs of this database.
  run_id TEXT NOT NULL,
  -- The account of the tool: its name, unless the configuration says otherwise.
  tool TEXT NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('rate', 'window')),
  why TEXT NOT NULL,
  -- Whether the tool gave the time as a number (exact) or in words, or said none (guess).
  source TEXT NOT NULL CHECK (source IN ('exact', 'words', 'guess')),
  parked_at TEXT NOT NULL,
  until TEXT NOT NULL,
  -- When the tool worked again; null as long as it has not.
  resumed_at TEXT
);

CREATE INDEX parked_tools_open ON parked_tools (tool) WHERE resumed_at IS NULL;

CREATE INDEX parked_tools_run ON parked_tools (run_id);

CREATE TABLE queue_runs (
  run_id TEXT PRIMARY KEY REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  -- In the id of each of its jobs.
  nonce TEXT NOT NULL,
  -- Where hosts get the files from: JSON.
  source TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE reopened (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  at TEXT NOT NULL,
  -- Who asked.
  "by" TEXT NOT NULL
, highest_row INTEGER);

CREATE INDEX reopened_by_run ON reopened (run_id, id);

CREATE TABLE run_crashes (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  deaths INTEGER NOT NULL,
  PRIMARY KEY (run_id, workstream_id)
) WITHOUT ROWID;

CREATE TABLE run_locks (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  -- Empty for busy.
  workstream_id TEXT NOT NULL,
  -- busy: it has workstreams in hand, one row a run; alone: nothing may run beside this one.
  kind TEXT NOT NULL CHECK (kind IN ('busy', 'alone', 'group', 'scope')),
  -- The conflict group, or an absolute path that is owned with all below it; empty for the other kinds.
  name TEXT NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (run_id, workstream_id, kind, name)
) WITHOUT ROWID;

CREATE VIEW run_matrix AS
SELECT r.run_id, r.workstream_id, r.status, m.key AS name, m.value AS value, m.type AS type
FROM agent_results r
CROSS JOIN json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ELSE '{}' END, '$.matrix') m
WHERE r.has_matrix = 1;

CREATE VIEW run_output_files AS
SELECT r.run_id, r.workstream_id, r.status, f.value ->> 'path' AS path, f.value ->> 'bytes' AS bytes,
  f.value ->> 'sha256' AS sha256, f.value ->> 'problem' AS problem
FROM agent_results r
CROSS JOIN json_each(CASE WHEN json_valid(r.metadata) THEN r.metadata ELSE '{}' END, '$.outputs') f
WHERE r.output_files > 0;

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

CREATE TABLE run_plans (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  -- Place of the first workstream of the row in the order in which they are handed out, from 0.
  first INTEGER NOT NULL,
  -- JSON array of objects, one a workstream: its id, its file, its title unless that is the id, and as needs the ids of
  -- those workstreams of the plan that it waits for, if any.
  workstreams TEXT NOT NULL,
  PRIMARY KEY (run_id, first)
);

CREATE TABLE run_sessions (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  session INTEGER NOT NULL,
  started_at TEXT NOT NULL,
  -- The last that is known of it: a result, or the start of a workstream; null for nothing.
  last_seen_at TEXT,
  agents_count INTEGER,
  PRIMARY KEY (run_id, session)
) WITHOUT ROWID;

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

CREATE INDEX test_cases_failed ON test_cases (run_id, id) WHERE status = 'failed';

CREATE TABLE workstream_attempts (
  run_id TEXT NOT NULL,
  workstream_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  agent_id TEXT NOT NULL,
  tool TEXT,
  model TEXT,
  -- Null for the attempt that completed.
  reason TEXT,
  explanation TEXT,
  start_time TEXT,
  duration_seconds REAL,
  cost_usd REAL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  content_hash TEXT,
  log_file TEXT, failure TEXT, pattern TEXT, shape_id TEXT,
  PRIMARY KEY (run_id, workstream_id, attempt)
) WITHOUT ROWID;

CREATE INDEX workstream_attempts_by_shape ON workstream_attempts (shape_id, run_id, workstream_id)
WHERE reason IS NOT NULL;

CREATE TABLE workstream_feedback (
  workstream_id TEXT PRIMARY KEY,
  -- The run whose work it is about.
  run_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  text TEXT NOT NULL
) WITHOUT ROWID;

CREATE VIEW workstream_history AS
SELECT r.workstream_id, r.run_id, c.created_at, c.label, r.title, r.status, r.reason, r.explanation, r.agent_id, r.attempts,
  r.duration_seconds, r.cpu_seconds, r.definition_hash,
  LAG(r.run_id) OVER runs AS previous_run_id, LAG(r.status) OVER runs AS previous_status,
  LAG(r.duration_seconds) OVER runs AS previous_duration_seconds,
  r.definition_hash <> LAG(r.definition_hash) OVER runs AS is_changed
FROM agent_results r JOIN consolidated_runs c ON c.run_id = r.run_id
WINDOW runs AS (PARTITION BY r.workstream_id ORDER BY c.created_at, r.id);

CREATE TABLE workstreams_in_hand (
  run_id TEXT NOT NULL REFERENCES consolidated_runs (run_id) ON DELETE CASCADE,
  workstream_id TEXT NOT NULL,
  agent_id TEXT,
  since TEXT,
  fraction REAL,
  activity TEXT, attempt INTEGER,
  PRIMARY KEY (run_id, workstream_id)
) WITHOUT ROWID;
