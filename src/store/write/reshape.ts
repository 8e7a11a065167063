/** Makes the shapes of stored errors anew, where they were made by other rules or, by an earlier version, not at all. */
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { SHAPE_IDS, shapeId, shapeOfError } from '../../analysis/patterns/error-shape.ts';
import { type ErrorShape, groupShapes, type PatternChange } from '../read/patterns.ts';
import { countOf, firstRow, rows } from '../read/rows.ts';
import { textCell } from '../schema/cells.ts';
import { type Connection, statement } from '../schema/connection.ts';
import { mergeInto, savePatterns } from './patterns.ts';

/** A table whose rows have shapes. */
interface Shaped {
  /** Columns of its key, and the condition for one row. */
  keys: string;
  keyed: string;
  table: string;
  /** Rows that may have a shape. */
  failed: string;
  /** How reason, message and output of a row are read. */
  cells: string;
}

const TABLES: readonly Shaped[] = [
  {
    keys: 'id',
    keyed: 'id = ?',
    table: 'consolidated_errors',
    failed: '1',
    cells: "COALESCE(error_type, 'unknown') AS type, COALESCE(error_message, '') AS message, tail",
  },
  {
    keys: 'run_id, workstream_id, attempt',
    keyed: 'run_id = ? AND workstream_id = ? AND attempt = ?',
    table: 'workstream_attempts',
    failed: "reason NOT IN ('interrupted', 'cancelled') AND explanation IS NOT NULL",
    cells: `reason AS type, explanation AS message,
      CASE WHEN json_valid(failure) THEN json_extract(failure, '$.tail') END AS tail`,
  },
];

/** Each of the two finds its rows in an index. */
const OTHER_RULES = [
  'shape_id IS NULL',
  `(shape_id < '${SHAPE_IDS.from}' OR shape_id >= '${SHAPE_IDS.to}')`,
] as const;

const keyRow = z.record(z.string(), z.union([z.string(), z.number()]));
const errorRow = z.object({
  type: z.string(),
  message: z.string(),
  tail: textCell,
  pattern_id: textCell,
  at: z.string(),
});

type Key = { of: Shaped; cells: (string | number)[] };

/**
 * Takes in all errors and failed attempts that have no shape of the present rules, in one transaction, and tells on
 * standard error how far it is when that takes more than a second. A pattern keeps its id where most of its errors are.
 */
export function reshapeErrors(connection: Connection): void {
  if (keysOf(connection, 1).length === 0) return;
  connection
    .transaction(() => {
      const reshaping = new Reshaping(connection);
      const keys = keysOf(connection, -1);
      const progress = new Progress(keys.length);
      for (const [done, key] of keys.entries()) {
        reshaping.take(key);
        progress.note(done);
      }
      reshaping.settle();
    })
    .immediate();
}

/** @param limit how many of each kind at most; -1 for all. */
function keysOf(connection: Connection, limit: number): Key[] {
  return TABLES.flatMap((of) =>
    OTHER_RULES.flatMap((others) => {
      const sql = `SELECT ${of.keys} FROM ${of.table} WHERE ${others} AND ${of.failed} LIMIT ?`;
      return rows(connection, keyRow, sql, limit).map((row) => ({ of, cells: Object.values(row) }));
    }),
  );
}

/** The shapes that were made anew, and what they say of the patterns there were. */
class Reshaping {
  readonly #connection: Connection;
  readonly #fresh = new Map<string, ErrorShape & { at: string }>();
  /** By pattern there was: how many of its errors have each new shape. */
  readonly #claims = new Map<string, Map<string, number>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  take({ of, cells }: Key): void {
    const row = firstRow(this.#connection, errorRow, readOne(of), ...cells);
    if (row === null) return;
    const text = shapeOfError(row);
    const id = shapeId(row.type, text);
    statement(this.#connection, `UPDATE ${of.table} SET pattern = ?, shape_id = ? WHERE ${of.keyed}`).run(
      text,
      id,
      ...cells,
    );
    const known = this.#fresh.get(id);
    if (known === undefined) this.#fresh.set(id, { id, type: row.type, text, at: row.at });
    else if (row.at < known.at) known.at = row.at;
    if (row.pattern_id !== null) this.#claim(row.pattern_id, id);
  }

  #claim(pattern: string, shape: string): void {
    const shapes = this.#claims.get(pattern) ?? new Map<string, number>();
    this.#claims.set(pattern, shapes.set(shape, (shapes.get(shape) ?? 0) + 1));
  }

  /** Groups the new shapes and gives the ids there were to the groups that have most of their errors. */
  settle(): void {
    const forget = OTHER_RULES[1];
    this.#connection.prepare(`DELETE FROM error_shapes WHERE ${forget}`).run();
    const known = 'SELECT COUNT(*) AS n FROM error_shapes WHERE shape_id = ?';
    const fresh = [...this.#fresh.values()].filter(({ id }) => countOf(this.#connection, known, id) === 0);
    const changes = groupShapes(this.#connection, fresh);
    const left = this.#giveIds(changes);
    savePatterns(this.#connection, changes, ({ shapes }) => this.#firstAt(shapes));
    for (const [old, patternId] of left) mergeInto(this.#connection, patternId, old);
  }

  #firstAt(shapes: readonly ErrorShape[]): string {
    return shapes
      .map(({ id }) => this.#fresh.get(id)?.at ?? '')
      .reduce((least, at) => (at < least ? at : least));
  }

  /** Returns the ids that no group has got, each with the pattern that most of its errors have now. */
  #giveIds(changes: readonly PatternChange[]): Map<string, string> {
    const groupOf = new Map(
      changes.flatMap((change) => change.shapes.map(({ id }) => [id, change] as const)),
    );
    const left = new Map<string, string>();
    for (const old of this.#oldestFirst()) {
      const group = mostOf(this.#claims.get(old) ?? new Map(), groupOf);
      if (group === undefined) continue;
      if (group.isNew) Object.assign(group, { patternId: old, isNew: false });
      else left.set(old, group.patternId);
    }
    return left;
  }

  #oldestFirst(): string[] {
    const sql = 'SELECT pattern_id AS id FROM error_patterns ORDER BY created_at, pattern_id';
    return rows(this.#connection, z.object({ id: z.string() }), sql)
      .map(({ id }) => id)
      .filter((id) => this.#claims.has(id));
  }
}

const readOne = ({ cells, table, keyed }: Shaped): string => `
SELECT ${cells},
  (SELECT s.pattern_id FROM error_shapes s WHERE s.shape_id = t.shape_id) AS pattern_id,
  COALESCE((SELECT r.created_at FROM consolidated_runs r WHERE r.run_id = t.run_id), t.run_id) AS at
FROM ${table} t WHERE ${keyed}`;

/** The group that most of these errors are in; of equal ones the first. */
function mostOf(
  shapes: ReadonlyMap<string, number>,
  groupOf: ReadonlyMap<string, PatternChange>,
): PatternChange | undefined {
  const counts = new Map<PatternChange, number>();
  for (const [shape, count] of shapes) {
    const group = groupOf.get(shape);
    if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + count);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).at(0)?.[0];
}

const INTERVAL_MS = 1000;

/** Tells a person who waits how far it is. */
class Progress {
  readonly #total: number;
  #told = performance.now();

  constructor(total: number) {
    this.#total = total;
  }

  note(done: number): void {
    if (performance.now() - this.#told < INTERVAL_MS) return;
    this.#told = performance.now();
    process.stderr.write(
      `millrace: sorting the errors of earlier runs into patterns, ${done} of ${this.#total}\n`,
    );
  }
}
