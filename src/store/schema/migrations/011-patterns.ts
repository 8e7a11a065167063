/**
 * The shape of each error and of each failed attempt, and the patterns that shapes belong to. Which pattern an error has
 * is said in one place, by its shape.
 */
export const patterns = `
-- Id of the shape: version of the rules and hash of reason and shape, which is in the column pattern.
ALTER TABLE consolidated_errors ADD COLUMN shape_id TEXT;
ALTER TABLE workstream_attempts ADD COLUMN pattern TEXT;
ALTER TABLE workstream_attempts ADD COLUMN shape_id TEXT;

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
CREATE INDEX error_shapes_by_places ON error_shapes (error_type, places);
CREATE INDEX error_shapes_by_pattern ON error_shapes (pattern_id);

DROP INDEX consolidated_errors_by_pattern;
CREATE INDEX consolidated_errors_by_shape ON consolidated_errors (shape_id, run_id, workstream_id);
CREATE INDEX workstream_attempts_by_shape ON workstream_attempts (shape_id, run_id, workstream_id)
WHERE reason IS NOT NULL;

-- The pattern of each error. A shape that no run has consolidated yet is a pattern by itself.
CREATE VIEW errors_by_pattern AS
SELECT COALESCE(s.pattern_id, 'p-' || substr(e.shape_id, instr(e.shape_id, '-') + 1, 8)) AS pattern_id,
  e.id, e.run_id, e.workstream_id, e.error_type, e.error_message
FROM consolidated_errors e LEFT JOIN error_shapes s ON s.shape_id = e.shape_id;
`;
