import type { ParkedInRun, RunDocumentHead } from '../../domain/run-record.ts';
import { totalCost } from '../../domain/tool-record.ts';
import { dollars, percent, seconds } from '../../text/format.ts';
import {
  type Block,
  type Cell,
  type Column,
  code,
  glue,
  list,
  paragraph,
  prose,
  strong,
  table,
} from '../nodes.ts';
import { firstFailure, verdict } from '../verdict.ts';

/** What a reader needs without scrolling: the verdict, what to do first, and the totals. */
export function opening(head: RunDocumentHead): Block[] {
  const note = unknownNote(head);
  return [
    paragraph({ type: 'strong', children: prose(verdict(head)) }),
    ...next(head),
    ...head.parked.map((each) => paragraph(...prose(parkedText(each)))),
    ...(note === null ? [] : [paragraph(...prose(note))]),
    totals(head),
  ];
}

function next(head: RunDocumentHead): Block[] {
  const [first, ...others] = head.recommendations;
  if (first !== undefined && others.length === 0)
    return [paragraph(strong('Next'), glue(': '), ...prose(first))];
  if (first !== undefined) {
    return [
      paragraph(strong('Next'), ':'),
      list(
        true,
        head.recommendations.slice(0, 20).map((each) => prose(each)),
      ),
    ];
  }
  const failure = firstFailure(head);
  return failure?.explanation
    ? [paragraph(code(failure.workstreamId), ': ', ...prose(failure.explanation, 400))]
    : [];
}

/** How long a tool waited for its usage limits. */
function parkedText({ tool, times, seconds: waited, why, until, hasWorked }: ParkedInRun): string {
  const often = times === 1 ? 'met its usage limit' : `met its usage limit ${times} times`;
  const since = hasWorked
    ? ''
    : `, and has not worked since: it waits until ${until.slice(0, 16).replace('T', ' ')} UTC`;
  return `${tool} ${often} and waited ${seconds(waited)}${since} ("${why}").`;
}

function totals({ run, tests, tools }: RunDocumentHead): Block {
  const { workstreams, completed, failed, skipped, takenOver, savedSeconds, ...others } = run.totals;
  const { filesModified, commits, warnings } = others;
  const wall = run.executionSummary?.speed.wallSeconds ?? null;
  const cost = totalCost(tools).knownUsd;
  const cells: [Column, Cell, boolean][] = [
    [{ right: 'Workstreams' }, workstreams, true],
    [{ right: 'Completed' }, completed, true],
    [{ right: 'Taken over' }, `${takenOver} (${percent(takenOver / workstreams)})`, takenOver > 0],
    [{ right: 'Saved' }, seconds(savedSeconds), takenOver > 0],
    [{ right: 'Failed' }, failed, true],
    [{ right: 'Skipped' }, skipped, true],
    ['Tests', `${tests.passed} passed, ${tests.failed} failed`, tests.passed + tests.failed > 0],
    [{ right: 'Files' }, filesModified, filesModified > 0],
    [{ right: 'Commits' }, commits, commits > 0],
    [{ right: 'Warnings' }, warnings, warnings > 0],
    [{ right: 'Cost' }, cost === null ? null : dollars(cost), tools.length > 0],
    [{ right: 'Took' }, seconds(wall), true],
  ];
  const shown = cells.filter(([, , isShown]) => isShown);
  return table(
    shown.map(([column]) => column),
    [shown.map(([, cell]) => cell)],
  );
}

function unknownNote({ run }: RunDocumentHead): string | null {
  if (run.executionSummary !== null) return null;
  switch (run.state) {
    case 'running':
      return 'Wall time, speed-up, exit code and what to do next are known when the run has ended.';
    case 'interrupted':
      return `The process of this run ended before it could sum up: wall time, speed-up and exit code are not known. \`millrace run --resume ${run.runId}\` runs what is left of it.`;
    case 'ended':
      return 'An older version recorded this run: wall time, speed-up and exit code are not known.';
  }
}
