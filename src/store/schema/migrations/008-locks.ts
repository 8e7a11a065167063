/** What runs that use one database at the same time have to know of each other. */
export const locks = `
-- The process that writes the run: the start of its machine, the namespace of its id, and when it was last heard of.
ALTER TABLE consolidated_runs ADD COLUMN boot_id TEXT;
ALTER TABLE consolidated_runs ADD COLUMN pid_namespace TEXT;
ALTER TABLE consolidated_runs ADD COLUMN heartbeat_at TEXT;

-- What runs under way hold. Rows of a run whose process is gone count no more.
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
`;
