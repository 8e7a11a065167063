/** Gives shapes their patterns. */
import { z } from 'zod';
import { groupShapes, type PatternChange } from '../read/patterns.ts';
import { firstRow, rows } from '../read/rows.ts';
import { type Connection, statement } from '../schema/connection.ts';
import { asStoreError } from '../schema/store-error.ts';

const BEGUN = 'SELECT created_at FROM consolidated_runs WHERE run_id = ?';
const begunRow = z.object({ created_at: z.string() });

const freshRow = z.object({ id: z.string(), type: z.string(), text: z.string() });

/** Shapes of errors, then of failed attempts, of a run, that have no pattern; in the order in which they came. */
const FRESH = `
WITH seen AS (
  SELECT shape_id, error_type AS type, pattern AS text FROM consolidated_errors WHERE run_id = ?
  UNION ALL
  SELECT shape_id, reason, pattern FROM workstream_attempts WHERE run_id = ? AND reason IS NOT NULL),
numbered AS (SELECT *, ROW_NUMBER() OVER () AS number FROM seen)
SELECT shape_id AS id, type, text FROM numbered n
WHERE shape_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM error_shapes s WHERE s.shape_id = n.shape_id)
GROUP BY shape_id ORDER BY MIN(number)`;

/**
 * Takes the new shapes of a run into the patterns of the database, in one transaction. A run without a new one costs a
 * query. Throws a `StoreError`.
 */
export function settlePatterns(connection: Connection, runId: string): void {
  const settle = (): void => {
    const fresh = rows(connection, freshRow, FRESH, runId, runId);
    if (fresh.length === 0) return;
    const at = firstRow(connection, begunRow, BEGUN, runId)?.created_at ?? '';
    savePatterns(connection, groupShapes(connection, fresh), () => at);
  };
  try {
    connection.transaction(settle).immediate();
  } catch (error) {
    throw asStoreError(error, connection.name);
  }
}

const ADD = 'INSERT INTO error_patterns (pattern_id, error_type, template, created_at) VALUES (?, ?, ?, ?)';
const CHANGE = 'UPDATE error_patterns SET template = ? WHERE pattern_id = ? AND template <> ?';
const ADD_SHAPE = `
INSERT OR REPLACE INTO error_shapes (shape_id, error_type, shape, places, pattern_id) VALUES (?, ?, ?, ?, ?)`;
/** Names the pattern that one has become a part of, also for those that had become a part of that one. */
const MERGE = 'UPDATE error_patterns SET merged_into = ? WHERE pattern_id = ? OR merged_into = ?';
const MOVE = 'UPDATE error_shapes SET pattern_id = ? WHERE pattern_id = ?';

/**
 * Writes what became of patterns, within the caller's transaction.
 * @param at when the first error of a new pattern was recorded.
 */
export function savePatterns(
  connection: Connection,
  changes: readonly PatternChange[],
  at: (change: PatternChange) => string,
): void {
  for (const change of changes) {
    const { patternId, type, template, shapes, places, merged } = change;
    if (change.isNew) statement(connection, ADD).run(patternId, type, template, at(change));
    else statement(connection, CHANGE).run(template, patternId, template);
    for (const { id, text } of shapes)
      statement(connection, ADD_SHAPE).run(id, type, text, places, patternId);
    for (const old of merged) mergeInto(connection, patternId, old);
  }
}

/** Makes one pattern a part of another: its shapes move there, and its id leads there. */
export function mergeInto(connection: Connection, patternId: string, old: string): void {
  statement(connection, MERGE).run(patternId, old, old);
  statement(connection, MOVE).run(patternId, old);
}
