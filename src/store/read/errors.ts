/** Reads errors: one by one, and grouped by pattern. */
import { z } from 'zod';
import { placesOf, valuesOf } from '../../analysis/patterns/details.ts';
import { essenceOfError, firstPatternId, tellingOf } from '../../analysis/patterns/error-shape.ts';
import { HOLE } from '../../analysis/patterns/shape.ts';
import { COORDINATOR } from '../../domain/agent-result.ts';
import type { Capped } from '../../domain/capped.ts';
import type { ErrorExample, ErrorPattern } from '../../domain/history/pattern.ts';
import { textCell } from '../schema/cells.ts';
import type { Connection } from '../schema/connection.ts';
import { errorTable } from '../schema/result-tables.ts';
import { columnsOf } from '../schema/table.ts';
import { ERROR_PATTERN, ERROR_SHAPE_ID, ERROR_TYPE, type ErrorShape, groupShapes } from './patterns.ts';
import { firstRow, rows } from './rows.ts';

/** One row of `consolidated_errors`. */
export interface StoredError extends ErrorExample {
  type: string;
  pattern: string;
  /** ISO 8601 in UTC. */
  at: string | null;
}

const WORKSTREAMS_SHOWN = 20;
/** Groups of which values and places are found, and errors of each in which they are looked for. */
const DETAILED = 20;
const LOOKED_AT = 1000;

const errorCells = errorTable.row.omit({ run_id: true, error_type: true, pattern: true, shape_id: true });
const errorRow = errorCells.extend({ type: z.string(), pattern: z.string() });
const ERRORS = `
SELECT ${ERROR_TYPE} AS type, ${ERROR_PATTERN} AS pattern, ${columnsOf(errorCells, 'e')} FROM consolidated_errors e`;

const NO_DETAILS = { values: [], places: [] };

/** Every error of a run, in the order in which they arrived. */
export function readErrors(connection: Connection, runId: string): StoredError[] {
  const sql = `${ERRORS} WHERE e.run_id = ? ORDER BY e.id`;
  return rows(connection, errorRow, sql, runId).map(toError);
}

/** The patterns of a run, the most frequent first, those of equal count in the order of their first error. */
export function errorPatterns(connection: Connection, runId: string, limit: number): Capped<ErrorPattern> {
  const groups = groupsOf(connection, runId);
  const shown = groups.slice(0, limit);
  const members = membersOf(connection, runId, shown);
  const details = detailsOf(connection, runId, shown.slice(0, DETAILED));
  const patterns = shown.map((group, index) => {
    const { type, at: _, pattern: __, ...example } = readError(connection, group.first);
    return {
      id: group.patternId,
      type,
      pattern: group.template,
      telling: tellingOf({ type, ...example }),
      count: group.count,
      workstreams: members[index] ?? [],
      ...(details[index] ?? NO_DETAILS),
      example,
      history: null,
      goesWith: [],
      ...(group.merged.size === 0 ? {} : { merged: [...group.merged] }),
    };
  });
  return { shown: patterns, total: groups.length };
}

// ── Groups ──

interface Group {
  patternId: string;
  template: string;
  count: number;
  /** Id of its first error. */
  first: number;
  shapes: string[];
  /** Ids that its errors go by until the end of the run. */
  merged: Set<string>;
}

const SHAPES = `
WITH e AS MATERIALIZED (
  SELECT e.id, ${ERROR_TYPE} AS type, ${ERROR_PATTERN} AS pattern, ${ERROR_SHAPE_ID} AS shape_id
  FROM consolidated_errors e WHERE e.run_id = ?)
SELECT e.shape_id AS id, e.type, e.pattern AS text, COUNT(*) AS n, MIN(e.id) AS first, s.pattern_id, p.template
FROM e LEFT JOIN error_shapes s ON s.shape_id = e.shape_id LEFT JOIN error_patterns p ON p.pattern_id = s.pattern_id
GROUP BY e.shape_id ORDER BY first`;

const shapeRow = z.object({
  id: z.string(),
  type: z.string(),
  text: z.string(),
  n: z.number(),
  first: z.number(),
  pattern_id: z.string().nullable(),
  template: z.string().nullable(),
});

/** All groups of a run, as they are shown. */
function groupsOf(connection: Connection, runId: string): Group[] {
  const shapes = rows(connection, shapeRow, SHAPES, runId);
  const { idOf, templates } = unsettled(
    connection,
    shapes.filter(({ pattern_id: id }) => id === null),
  );
  const groups = new Map<string, Group>();
  for (const shape of shapes) {
    const known = shape.pattern_id ?? shape.id;
    const alone = shape.pattern_id ?? firstPatternId(shape.id);
    const patternId = idOf.get(known) ?? alone;
    const group = groups.get(patternId) ?? {
      patternId,
      template: templates.get(patternId) ?? shape.template ?? shape.text,
      count: 0,
      first: shape.first,
      shapes: [],
      merged: new Set<string>(),
    };
    groups.set(patternId, group);
    group.count += shape.n;
    group.shapes.push(shape.id);
    if (alone !== patternId) group.merged.add(alone);
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count || a.first - b.first);
}

/** What the end of the run will make of shapes that have no pattern yet: of a run under way, or of an earlier version. */
function unsettled(
  connection: Connection,
  fresh: readonly ErrorShape[],
): { idOf: Map<string, string>; templates: Map<string, string> } {
  const idOf = new Map<string, string>();
  const templates = new Map<string, string>();
  if (fresh.length === 0) return { idOf, templates };
  for (const { patternId, template, shapes, merged } of groupShapes(connection, fresh)) {
    for (const { id } of shapes) idOf.set(id, patternId);
    for (const id of merged) idOf.set(id, patternId);
    templates.set(patternId, template);
  }
  return { idOf, templates };
}

// ── Members ──

/** Errors of a run with the number of the group that they are in, from the shapes of the groups as JSON. */
const IN_GROUPS = `
  shown AS MATERIALIZED (SELECT g.key AS number, s.value AS shape_id FROM json_each(?) g CROSS JOIN json_each(g.value) s),
  e AS MATERIALIZED (
    SELECT e.id, e.workstream_id, ${ERROR_SHAPE_ID} AS shape_id FROM consolidated_errors e WHERE e.run_id = ?)`;

const MEMBERS = `
WITH ${IN_GROUPS},
w AS (
  SELECT number, workstream_id, MIN(id) AS id,
    ROW_NUMBER() OVER (PARTITION BY number ORDER BY MIN(id)) AS place
  FROM e JOIN shown USING (shape_id) WHERE typeof(workstream_id) = 'text' GROUP BY number, workstream_id)
SELECT number, workstream_id FROM w WHERE place <= ${WORKSTREAMS_SHOWN} ORDER BY number, id`;

const memberRow = z.object({ number: z.number(), workstream_id: z.string() });

/** The first workstreams of each group. */
function membersOf(connection: Connection, runId: string, groups: readonly Group[]): string[][] {
  const members: string[][] = groups.map(() => []);
  if (groups.length === 0) return members;
  const shapes = JSON.stringify(groups.map((group) => group.shapes));
  for (const { number, workstream_id: id } of rows(connection, memberRow, MEMBERS, shapes, runId)) {
    members[number]?.push(id);
  }
  return members;
}

/** The texts of the first errors of each group. */
const TEXTS = `
WITH ${IN_GROUPS},
looked_at AS (
  SELECT number, id FROM (
    SELECT number, id, ROW_NUMBER() OVER (PARTITION BY number ORDER BY id) AS place FROM e JOIN shown USING (shape_id))
  WHERE place <= ${LOOKED_AT})
SELECT number, ${ERROR_TYPE} AS type, CASE typeof(e.error_message) WHEN 'text' THEN e.error_message ELSE '' END AS message, e.tail, e.stack_trace
FROM looked_at CROSS JOIN consolidated_errors e USING (id) ORDER BY number, e.id`;

const textRow = z.object({
  number: z.number(),
  type: z.string(),
  message: z.string(),
  tail: textCell,
  stack_trace: textCell,
});

/** What differs between the errors of each group. */
function detailsOf(
  connection: Connection,
  runId: string,
  groups: readonly Group[],
): Pick<ErrorPattern, 'values' | 'places'>[] {
  const found = groups.map(() => ({ lines: [] as string[], stacks: [] as string[] }));
  if (groups.length === 0) return [];
  const shapes = JSON.stringify(groups.map((group) => group.shapes));
  for (const { number, stack_trace: stack, ...error } of rows(connection, textRow, TEXTS, shapes, runId)) {
    if (groups[number]?.template.includes(HOLE) === true) found[number]?.lines.push(essenceOfError(error));
    if (stack !== null) found[number]?.stacks.push(stack);
  }
  return found.map(({ lines, stacks }, number) => ({
    values: valuesOf(groups[number]?.template ?? '', lines),
    places: placesOf(stacks),
  }));
}

// ── Single errors ──

function readError(connection: Connection, id: number): StoredError {
  const row = firstRow(connection, errorRow, `${ERRORS} WHERE e.id = ?`, id);
  if (row === null) throw new Error(`error ${id} has gone while it was read`);
  return toError(row);
}

function toError(row: z.infer<typeof errorRow>): StoredError {
  return {
    type: row.type,
    pattern: row.pattern,
    at: row.timestamp,
    workstreamId: row.workstream_id ?? '',
    agentId: row.agent_id ?? COORDINATOR,
    message: row.error_message ?? '',
    stack: row.stack_trace,
    tail: row.tail,
    logFile: row.log_file,
  };
}
