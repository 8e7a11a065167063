import { refOfRun } from '../../app/history.ts';
import { Refusal } from '../../app/refusal.ts';
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
import type { WhyArguments } from '../commands/why.ts';
import { withRun } from '../history.ts';
import { type Page, printPage, type Section } from '../page.ts';

/** Runs before of which it is told what became of the workstream. */
const BEFORE = 20;
/** Shorter waits are those of any start, in seconds. */
const NOTABLE_WAIT = 0.1;
/** Longest clause about the cache. */
const CLAUSE = 300;
/** Longest id in a message. */
const ID = 100;

/** Explains what became of a workstream in a run, from what is stored. */
export async function why(argv: WhyArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    const document = documentOf(connection, run, argv.workstream);
    await printPage(argv, pageOf(document, run), document);
    return 0;
  });
}

/** @throws Refusal with exit code 4 where the run has no result of it; says so where that is still to come. */
function documentOf(connection: Connection, run: RunSummary, id: string): WhyDocument {
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

function waitText({ seconds: waited, for: what, behind }: ReadyWait, isFromStart: boolean): string {
  if (waited < NOTABLE_WAIT) return 'It was started as soon as it was ready.';
  const time = `It waited ${seconds(waited)}`;
  const names = nameSome(behind.map(({ workstreamId }) => workstreamId));
  if (what === 'lock') return `${time} for what it may not run beside: ${names}.`;
  if (what === 'agents') return `${time} for a free agent: all were busy, with ${names}.`;
  const orStart = isFromStart ? 'the start of the run, ' : '';
  return `${time}, for something that is not kept with a result: ${orStart}a lower stage, processors or memory that others had reserved, a lock of another run, a limit of a tool, or room for more agents.`;
}

/** What the run as a whole waited for, where that may be why this workstream did. */
function otherRunsTexts(wait: ReadyWait | null, { executionSummary }: RunSummary): string[] {
  const waited = executionSummary?.waitedForRuns ?? null;
  if (wait === null || waited === null || wait.seconds < NOTABLE_WAIT || wait.for !== null) return [];
  return [
    `Workstreams of this run waited ${seconds(waited.seconds)} for locks of other runs: ${nameSome(waited.runIds)}.`,
  ];
}

// ── The page ──

function pageOf(document: WhyDocument, run: RunSummary): Page {
  const { verdict, workstream, wait } = document;
  return {
    answer: verdict,
    sections: [
      { title: null, notes: notesOf(document, run) },
      { title: 'What happened', head: ['time', 'what'], rows: timeline(document, run) },
      dependenciesSection(workstream),
      { title: 'Held while it was executed', notes: lockTexts(workstream.constraints) },
      {
        title: 'Executed while it waited',
        head: ['workstream', 'agent', 'from', 'to'],
        rows: (wait?.behind ?? []).map((each) => [
          each.workstreamId,
          each.agentId,
          each.startTime,
          each.endTime,
        ]),
      },
    ],
  };
}

function notesOf({ workstream, wait, before }: WhyDocument, run: RunSummary): string[] {
  const { gaveUp, skippedBecauseOfIt, logFile, cpuWaitSeconds } = workstream;
  const known = before.filter(({ what }) => what !== 'not-run');
  const failures = known.filter(({ what }) => what === 'failed').length;
  return [
    ...(wait === null ? [] : [waitText(wait, [run.createdAt, run.resumedAt].includes(wait.readyAt))]),
    ...otherRunsTexts(wait, run),
    ...(cpuWaitSeconds === null || cpuWaitSeconds < NOTABLE_WAIT
      ? []
      : [`Its thread waited ${seconds(cpuWaitSeconds)} for a processor.`]),
    ...cacheTexts(workstream),
    ...(gaveUp === null || workstream.status === 'skipped' ? [] : [`It was not tried again: ${gaveUp}`]),
    ...(skippedBecauseOfIt === 0 ? [] : [skippedText(skippedBecauseOfIt)]),
    ...(known.length < 2 || failures === 0
      ? []
      : [`It failed in ${failures} of the last ${known.length} runs that executed it.`]),
    ...(logFile === null ? [] : [`Its output: ${logFile}`]),
  ];
}

/** Why it was executed although it has a cache, and why it will be again. */
function cacheTexts({ cache, savedSeconds }: Circumstances): string[] {
  if (cache === null) return [];
  if (cache.result === 'taken-over')
    return savedSeconds === null ? [] : [`That saved ${seconds(savedSeconds)}.`];
  const note = cache.note === null ? '' : oneLine(cache.note, CLAUSE);
  const changed = cache.changes.map((clause) => oneLine(clause, CLAUSE));
  return [
    ...(changed.length === 0 ? [] : [`It was executed because of what has changed: ${changed.join(', ')}.`]),
    ...(note === ''
      ? []
      : [
          `${cache.result === 'kept' ? 'No earlier result was taken over' : 'Its result was not kept'}: ${note}.`,
        ]),
  ];
}

const skippedText = (count: number): string =>
  count === 1
    ? '1 workstream that depends on it was skipped because of that.'
    : `${count} workstreams that depend on it were skipped because of that.`;

function timeline({ workstream, wait }: WhyDocument, run: RunSummary): (string | null)[][] {
  const { earlierAttempts, attempts, agentId, startTime, endTime, status, reason } = workstream;
  const after =
    wait === null || wait.readyAt === run.createdAt
      ? []
      : [[wait.readyAt, 'all that it depends on had ended']];
  const executions = earlierAttempts.flatMap((each) => [
    [
      each.startTime,
      `${each.agentId} began attempt ${each.attempt}${each.tool === null ? '' : ` with ${each.tool}`}`,
    ],
    [
      endOf(each.startTime, each.durationSeconds),
      `attempt ${each.attempt} ended: ${each.reason ?? 'completed'}${each.explanation === null ? '' : `: ${each.explanation}`}`,
    ],
  ]);
  const last = [
    [startTime, `${agentId} began${attempts > 1 ? ` attempt ${attempts}` : ''}`],
    [endTime, `it ended: ${reason ?? status}`],
  ];
  return [
    [run.createdAt, 'the run began'],
    ...after,
    ...executions,
    ...(startTime === null
      ? [[null, `it was never started: ${workstream.fromRun === null ? (reason ?? status) : 'taken over'}`]]
      : last),
  ];
}

const endOf = (start: string | null, took: number | null): string | null =>
  start === null || took === null ? null : new Date(Date.parse(start) + took * 1000).toISOString();

function dependenciesSection({ constraints, dependencies }: Circumstances): Section {
  const found = new Map<string, Neighbour>(dependencies.map((each) => [each.workstreamId, each]));
  return {
    title: 'Depends on',
    head: ['workstream', 'had to', 'status', 'reason', 'ended'],
    rows: (constraints?.dependsOn ?? []).map(({ id, when }) => {
      const dependency = found.get(id);
      return [
        id,
        when === 'completed' ? 'complete' : 'end',
        dependency?.status ?? 'not part of this run',
        dependency?.reason ?? '',
        dependency?.endTime ?? null,
      ];
    }),
  };
}

function lockTexts(constraints: Constraints | null): string[] {
  if (constraints === null) return [];
  const { conflictGroup, scopes, parallelOk, gate } = constraints;
  return [
    ...(conflictGroup === null ? [] : [`the conflict group ${conflictGroup}`]),
    ...(scopes.length === 0 ? [] : [`the paths ${nameSome(scopes)}`]),
    ...(parallelOk ? [] : ['everything: nothing may run beside it']),
    ...(gate === null ? [] : [`stage ${gate}: it starts when all of lower ones has ended`]),
  ];
}
