/** Which pattern a shape belongs to: the one of the database, or the one that it will have when its run is consolidated. */
import { z } from 'zod';
import { firstPatternId, SHAPE_IDS } from '../../analysis/patterns/error-shape.ts';
import { MERGED_SHAPES, mergeShapes, placesOf } from '../../analysis/patterns/merge.ts';
import { type PatternOfRuns, patternOfRunsSchema } from '../../domain/history/pattern.ts';
import type { Connection } from '../schema/connection.ts';
import { countOf, firstRow, rows } from './rows.ts';

// Rows of earlier versions have no shape, as long as their database has only been read since: theirs are made while they
// are read. `e` is a row of `consolidated_errors`, `a` one of `workstream_attempts`.

export const ERROR_TYPE = "CASE typeof(e.error_type) WHEN 'text' THEN e.error_type ELSE 'unknown' END";
export const ERROR_PATTERN = `
  CASE typeof(e.shape_id) WHEN 'text' THEN e.pattern ELSE pattern_of(${ERROR_TYPE}, e.error_message, e.tail) END`;
export const ERROR_SHAPE_ID = `
  CASE typeof(e.shape_id) WHEN 'text' THEN e.shape_id ELSE shape_id_of(${ERROR_TYPE}, ${ERROR_PATTERN}) END`;

const ATTEMPT_PATTERN = `
  CASE WHEN a.shape_id IS NULL THEN pattern_of(a.reason, a.explanation,
    CASE WHEN json_valid(a.failure) THEN json_extract(a.failure, '$.tail') END) ELSE a.pattern END`;
const ATTEMPT_SHAPE_ID = `COALESCE(a.shape_id, shape_id_of(a.reason, ${ATTEMPT_PATTERN}))`;

/** What a query needs to name the pattern of its rows. A shape that no run has consolidated yet is one by itself. */
interface PatternSql {
  join: string;
  id: string;
  type: string;
  template: string;
}

const patternSql = (type: string, pattern: string, shapeId: string): PatternSql => ({
  join: `LEFT JOIN error_shapes s ON s.shape_id = ${shapeId} LEFT JOIN error_patterns p ON p.pattern_id = s.pattern_id`,
  id: `COALESCE(s.pattern_id, 'p-' || substr(${shapeId}, instr(${shapeId}, '-') + 1, 8))`,
  type,
  template: `COALESCE(p.template, ${pattern})`,
});

export const PATTERN_OF_ERROR = patternSql(ERROR_TYPE, ERROR_PATTERN, ERROR_SHAPE_ID);
export const PATTERN_OF_ATTEMPT = patternSql('a.reason', ATTEMPT_PATTERN, ATTEMPT_SHAPE_ID);

export interface ErrorShape {
  id: string;
  /** The failure's reason. */
  type: string;
  text: string;
}

/** What becomes of a pattern by new shapes. */
export interface PatternChange {
  patternId: string;
  type: string;
  template: string;
  /** The shapes that are added. */
  shapes: ErrorShape[];
  /** Their number of places; 0 where they are not merged. */
  places: number;
  /** Patterns that become a part of this one. */
  merged: string[];
  isNew: boolean;
}

const knownRow = z.object({
  shape_id: z.string(),
  shape: z.string(),
  pattern_id: z.string(),
  created_at: z.string(),
});
type KnownShape = z.infer<typeof knownRow>;

const KNOWN = `
SELECT s.shape_id, s.shape, s.pattern_id, p.created_at FROM error_shapes s JOIN error_patterns p USING (pattern_id)
WHERE s.error_type = ? AND s.places = ? AND s.shape_id >= '${SHAPE_IDS.from}' AND s.shape_id < '${SHAPE_IDS.to}'`;

const MERGED = `SELECT COUNT(*) AS n FROM (SELECT 1 FROM error_shapes WHERE places > 0 LIMIT ${MERGED_SHAPES})`;

/**
 * Groups shapes that the database does not have with those that it has. Reads only shapes that can matter: of the same
 * reason and number of places. What is one pattern stays one, and keeps its oldest id.
 * @param fresh each once, in the order of their first errors: beyond `MERGED_SHAPES` in all they are not merged.
 */
export function groupShapes(connection: Connection, fresh: readonly ErrorShape[]): PatternChange[] {
  const room = MERGED_SHAPES - countOf(connection, MERGED);
  const groups: PatternChange[] = [];
  const taken = new Set<string>();
  for (const bucket of bucketsOf(fresh.slice(0, room)))
    groups.push(...groupBucket(connection, bucket, taken));
  for (const shape of fresh.slice(Math.max(0, room))) groups.push(alone(connection, shape, taken));
  return groups;
}

interface Bucket {
  type: string;
  places: number;
  shapes: ErrorShape[];
}

function bucketsOf(shapes: readonly ErrorShape[]): Bucket[] {
  const buckets = new Map<string, Bucket>();
  for (const shape of shapes) {
    const places = placesOf(shape.text);
    const key = `${places} ${shape.type}`;
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, { type: shape.type, places, shapes: [shape] });
    else bucket.shapes.push(shape);
  }
  return [...buckets.values()];
}

function groupBucket(
  connection: Connection,
  { type, places, shapes }: Bucket,
  taken: Set<string>,
): PatternChange[] {
  const known = rows(connection, knownRow, KNOWN, type, places);
  const texts = [...known.map(({ shape }) => shape), ...shapes.map(({ text }) => text)];
  const groups = mergeShapes(
    texts,
    known.map(({ pattern_id: id }) => id),
  );
  return groups.flatMap(({ template, members }) => {
    const old = members.flatMap((member) => known[member] ?? []);
    const added = members.flatMap((member) => shapes[member - known.length] ?? []);
    const oldest = oldestOf(old);
    const merged = [...new Set(old.map(({ pattern_id: id }) => id))].filter((id) => id !== oldest);
    if (added.length === 0 && merged.length === 0) return [];
    const patternId =
      oldest ??
      freeId(
        connection,
        added.map(({ id }) => id),
        taken,
      );
    return [{ patternId, type, template, shapes: added, places, merged, isNew: oldest === undefined }];
  });
}

/** The id of the pattern that was there first. */
function oldestOf(known: readonly KnownShape[]): string | undefined {
  return known
    .toSorted((a, b) => compare(a.created_at, b.created_at) || compare(a.pattern_id, b.pattern_id))
    .at(0)?.pattern_id;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function alone(connection: Connection, shape: ErrorShape, taken: Set<string>): PatternChange {
  const patternId = freeId(connection, [shape.id], taken);
  return {
    patternId,
    type: shape.type,
    template: shape.text,
    shapes: [shape],
    places: 0,
    merged: [],
    isNew: true,
  };
}

/** The id that follows from the first of the shapes, or the next that no pattern has: 8 digits can meet by chance. */
function freeId(connection: Connection, shapes: readonly string[], taken: Set<string>): string {
  const first = shapes.reduce((least, id) => (id < least ? id : least));
  let id = firstPatternId(first);
  while (taken.has(id) || isPattern(connection, id)) id = following(id);
  taken.add(id);
  return id;
}

const PATTERN_NUMBERS = 2 ** 32;

function following(id: string): string {
  const number = (Number.parseInt(id.slice(2), 16) + 1) % PATTERN_NUMBERS;
  return `p-${number.toString(16).padStart(8, '0')}`;
}

const isPattern = (connection: Connection, id: string): boolean =>
  countOf(connection, 'SELECT COUNT(*) AS n FROM error_patterns WHERE pattern_id = ?', id) > 0;

// ── Of one run ──

const OF_RUN = `
SELECT e.workstream_id, ${PATTERN_OF_ERROR.id} AS id, ${PATTERN_OF_ERROR.template} AS template
FROM consolidated_errors e ${PATTERN_OF_ERROR.join}
WHERE e.run_id = ? AND typeof(e.workstream_id) = 'text' ORDER BY e.id DESC`;
const ofRunRow = z.object({ workstream_id: z.string(), id: z.string(), template: z.string() });

/** The pattern of the first error of each workstream that has one, by its id. */
export function failurePatterns(
  connection: Connection,
  runId: string,
): Map<string, { id: string; template: string }> {
  const found = rows(connection, ofRunRow, OF_RUN, runId);
  return new Map(
    found.map(({ workstream_id: workstreamId, id, template }) => [workstreamId, { id, template }]),
  );
}

const OF_WORKSTREAM = `
SELECT ${PATTERN_OF_ERROR.id} AS id FROM consolidated_errors e ${PATTERN_OF_ERROR.join}
WHERE e.run_id = ? AND e.workstream_id = ? ORDER BY e.id LIMIT 1`;

/** The id of the pattern of a workstream's first error; null where it has none. */
export const failurePatternId = (
  connection: Connection,
  runId: string,
  workstreamId: string,
): string | null =>
  firstRow(connection, z.object({ id: z.string() }), OF_WORKSTREAM, runId, workstreamId)?.id ?? null;

// ── All patterns ──

const ALL = `
WITH e AS MATERIALIZED (
  SELECT ${PATTERN_OF_ERROR.id} AS id, ${PATTERN_OF_ERROR.type} AS type, ${PATTERN_OF_ERROR.template} AS pattern,
    e.id AS number, e.run_id, e.workstream_id
  FROM consolidated_errors e ${PATTERN_OF_ERROR.join}),
grouped AS (
  SELECT id, MIN(type) AS type, MIN(pattern) AS pattern, COUNT(*) AS count, COUNT(DISTINCT workstream_id) AS workstreams,
    COUNT(DISTINCT run_id) AS runs, MIN(number) AS first, MAX(number) AS last
  FROM e GROUP BY id)
SELECT g.id, g.type, g.pattern, g.count, g.workstreams, g.runs, f.run_id AS firstSeen, l.run_id AS lastSeen
FROM grouped g JOIN consolidated_errors f ON f.id = g.first JOIN consolidated_errors l ON l.id = g.last
ORDER BY g.count DESC, g.first`;

/** The patterns of all runs, the most frequent first. */
export const allPatterns = (connection: Connection): PatternOfRuns[] =>
  rows(connection, patternOfRunsSchema, ALL);

const mergedRow = z.object({ merged_into: z.string().nullable() });

/** The id under which a pattern goes since it has become a part of another one; its own where it has not. */
export function presentId(connection: Connection, id: string): string {
  const row = firstRow(
    connection,
    mergedRow,
    'SELECT merged_into FROM error_patterns WHERE pattern_id = ?',
    id,
  );
  return row?.merged_into ?? id;
}
