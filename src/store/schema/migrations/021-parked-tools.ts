/** Which tools wait, or waited, for their usage limits. */
export const parkedTools = `
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
`;
