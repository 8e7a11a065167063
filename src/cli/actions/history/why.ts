import { NOTABLE_WAIT, whyDocument } from '../../../app/histories/why.ts';
import type { Constraints } from '../../../domain/agent-result.ts';
import type {
  Circumstances,
  Neighbour,
  ReadyWait,
  WhyDocument,
} from '../../../domain/history/why-document.ts';
import type { RunSummary } from '../../../domain/run-record.ts';
import { nameSome, seconds } from '../../../text/format.ts';
import { oneLine } from '../../../text/printable.ts';
import type { WhyArguments } from '../../commands/history/why.ts';
import { withRun } from '../../history.ts';
import { type Page, printPage, type Section } from '../../page.ts';

/** Longest clause about the cache. */
const CLAUSE = 300;

/** Explains what became of a workstream in a run, from what is stored. */
export async function why(argv: WhyArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    const document = whyDocument(connection, run, argv.workstream);
    await printPage(argv, pageOf(document, run), document);
    return 0;
  });
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
