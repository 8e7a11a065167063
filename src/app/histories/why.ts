/** Why a workstream ended as it did in a run: what `why` prints. */
import type { Constraints } from '../../domain/agent-result.ts';
import type { Circumstances, Neighbour, ReadyWait, WhyDocument } from '../../domain/history/why-document.ts';
import type { RunSummary } from '../../domain/run-record.ts';
import { findConflicts } from '../../plan/conflicts.ts';
import { circumstancesOf, executedBetween, unfinishedIn } from '../../store/read/circumstances.ts';
import { runsUpTo } from '../../store/read/history-runs.ts';
import { RunHistory } from '../../store/read/run-history.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { nameSome, plural, seconds } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import { refOfRun } from '../history.ts';
import { Refusal } from '../refusal.ts';

/** Runs before of which it is told what became of the workstream. */
const BEFORE = 20;
/** Shorter waits are those of any start, in seconds. */
export const NOTABLE_WAIT = 0.1;
/** Longest id in a message. */
const ID = 100;

/** @throws Refusal with exit code 4 where the run has no result of it; says so where that is still to come. */
export function whyDocument(connection: Connection, run: RunSummary, id: string): WhyDocument {
  const workstream = circumstancesOf(connection, run.runId, id);
  if (workstream === null) throw new Refusal(4, noResult(connection, run, id));
  const ref = refOfRun(connection, run.runId);
  const wait = waitOf(connection, run, workstream);
  const history = new RunHistory(connection, runsUpTo(connection, ref, BEFORE));
  const before = history.observations(id, null).map(({ run: each, what }) => ({
    runId: each.runId,
    what: what === 'passed' || what === 'not-run' ? what : ('failed' as const),
  }));
  return { version: 1, verdict: verdictOf(workstream, run), run: ref, workstream, wait, before };
}

function noResult(connection: Connection, run: RunSummary, id: string): string {
  const shown = oneLine(id, ID);
  const open = run.state === 'ended' ? null : unfinishedIn(connection, run.runId, id);
  if (open === null) return `${shown} was no part of ${run.runId}. See: millrace show ${run.runId}`;
  const { state, agentId, since, waitsFor } = open;
  if (state === 'running') return `${shown} has no result yet: ${agentId} executes it since ${since}.`;
  const why =
    waitsFor.length > 0 ? `it waits for ${nameSome(waitsFor)}` : 'it waits for a free agent or for a lock';
  return `${shown} has no result yet: ${why}. The run is ${run.state}.`;
}

function verdictOf(
  { workstreamId, status, explanation, agentId, durationSeconds, attempts, fromRun }: Circumstances,
  { runId }: RunSummary,
): string {
  const because = explanation === null ? '' : `: ${explanation}`;
  if (status !== 'completed') {
    const tries = attempts > 1 ? ` after ${plural(attempts, 'attempt')}` : '';
    return `${workstreamId} ${status === 'failed' ? 'failed' : 'was skipped'} in ${runId}${tries}${because}`;
  }
  if (fromRun !== null)
    return `${workstreamId} was not executed in ${runId}: its result of ${fromRun} was taken over, as nothing had changed.`;
  if (durationSeconds === null) return `${workstreamId} was marked as done by a person in ${runId}.`;
  const tries = attempts > 1 ? `, at attempt ${attempts}` : '';
  return `${workstreamId} completed in ${runId} on ${agentId} in ${seconds(durationSeconds)}${tries}.`;
}

// ── Waiting ──

/** Null for what was never started, and where times are not known. */
function waitOf(connection: Connection, run: RunSummary, workstream: Circumstances): ReadyWait | null {
  const started = workstream.earlierAttempts[0]?.startTime ?? workstream.startTime;
  if (started === null) return null;
  const ends = workstream.dependencies.flatMap(({ endTime }) => endTime ?? []);
  // What a resumed run had left was ready when that began.
  const begins = [run.createdAt, run.resumedAt ?? ''].filter((at) => at <= started);
  const readyAt = [...begins, ...ends].reduce((latest, each) => (each > latest ? each : latest));
  const waited = Math.max(0, (Date.parse(started) - Date.parse(readyAt)) / 1000);
  const wait: ReadyWait = { readyAt, seconds: waited, for: null, behind: [] };
  if (waited < NOTABLE_WAIT) return wait;
  const executed = executedBetween(connection, run.runId, { from: readyAt, to: started });
  const others = executed.filter(({ workstreamId }) => workstreamId !== workstream.workstreamId);
  const locking = others.filter(({ constraints }) => excludes(workstream.constraints, constraints));
  if (locking.length > 0) return { ...wait, for: 'lock', behind: locking };
  const agents = run.executionSummary?.agentsCount ?? null;
  return agents !== null && mostAtOnce(others) >= agents ? { ...wait, for: 'agents', behind: others } : wait;
}

/** How many agents were busy at the same time, at most: that each was so at some time does not keep anything waiting. */
function mostAtOnce(executed: readonly Neighbour[]): number {
  const ends = executed.map(({ endTime }) => endTime ?? '').toSorted();
  let ended = 0;
  let most = 0;
  // In order of their starts. One that ends as another begins was not beside it.
  for (const [begun, { startTime }] of executed.entries()) {
    while (ended <= begun && (ends[ended] ?? '') <= (startTime ?? '')) ended += 1;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}

const FREE = { conflictGroup: null, scopes: [], parallelOk: true };

/** Whether two workstreams may not run at the same time. */
function excludes(a: Constraints | null, b: Constraints | null): boolean {
  if (a === null && b === null) return false;
  return (
    findConflicts([
      { id: 'a', ...(a ?? FREE) },
      { id: 'b', ...(b ?? FREE) },
    ]).length > 0
  );
}
