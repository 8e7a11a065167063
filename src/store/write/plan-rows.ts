/** The plan of a run as rows. What is here runs inside the recorder's transaction. */
import type { Workstream } from '../../domain/workstream.ts';
import type { Connection } from '../schema/connection.ts';
import type { RunStarted } from './event-batch.ts';
import type { Statements } from './recorder-statements.ts';

/** How many workstreams a row of the plan holds. */
const WORKSTREAMS = 500;

/** Writes the workstreams that are to be run, in the order in which they are handed out. */
export function writePlan(statements: Statements, { runId, workstreams }: RunStarted): void {
  const isPlanned = membership(workstreams);
  for (let first = 0; first < workstreams.length; first += WORKSTREAMS) {
    const entries = workstreams.slice(first, first + WORKSTREAMS).map((one) => entryOf(one, isPlanned));
    statements.plan.run(runId, first, JSON.stringify(entries));
  }
}

/** Drops the plan of a run, and what was in hand of it: every workstream has its result, or is planned again. */
export function dropPlan(connection: Connection, runId: string): void {
  for (const table of ['run_plans', 'workstreams_in_hand']) {
    connection.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(runId);
  }
}

/** What it waits for is kept as far as that is part of the plan: anything else does not keep it waiting. */
function entryOf({ id, title, source, dependsOn }: Workstream, isPlanned: (id: string) => boolean) {
  const needs = dependsOn.map((need) => need.id).filter(isPlanned);
  return {
    id,
    title: title === id ? undefined : title,
    file: source.file,
    needs: needs.length === 0 ? undefined : needs,
  };
}

/** Most plans are without dependencies, so their ids are collected for the first one. */
function membership(workstreams: readonly Workstream[]): (id: string) => boolean {
  let ids: ReadonlySet<string> | null = null;
  return (id) => {
    ids ??= new Set(workstreams.map((workstream) => workstream.id));
    return ids.has(id);
  };
}
