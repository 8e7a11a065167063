import type { ConsolidatedResult, ExecutionSummary } from '../../domain/run-record.ts';
import { nameSome } from '../../support/name-some.ts';
import { percent } from '../../support/percent.ts';
import { plural } from '../../support/plural.ts';
import { seconds } from '../../support/seconds.ts';
import { dateTime } from '../clock.ts';
import {
  type Block,
  type Cell,
  code,
  glue,
  heading,
  paragraph,
  prose,
  strong,
  table,
  UNKNOWN,
} from '../nodes.ts';
import { firstFailure, verdict } from '../verdict.ts';
import { speedRows } from './speed.ts';

/** The verdict, the first thing to do, and the numbers of the run as a whole. */
export function executiveSummary(result: ConsolidatedResult): Block[] {
  const { run } = result;
  const blocks: Block[] = [heading(2, 'Executive summary'), paragraph(...prose(verdict(result)))];
  const [next] = run.recommendations;
  const first = next === undefined ? firstFailure(result) : null;
  if (next !== undefined) blocks.push(paragraph(strong('Next'), glue(': '), ...prose(next, 800)));
  if (first?.explanation)
    blocks.push(paragraph(code(first.workstreamId), ': ', ...prose(first.explanation, 400)));
  const note = unknownNote(result);
  if (note !== null) blocks.push(paragraph(...prose(note)));
  blocks.push(table(['Measure', 'Value'], summaryRows(result)));
  return blocks;
}

function summaryRows(result: ConsolidatedResult): Cell[][] {
  const { totals, executionSummary: summary, createdAt, endedAt, retryOf } = result.run;
  const ran = totals.completed + totals.failed;
  const share = (count: number): string =>
    totals.workstreams === 0 ? String(count) : `${count} (${percent(count / totals.workstreams)})`;
  return [
    ['Workstreams', totals.workstreams],
    ['Completed', share(totals.completed)],
    ['Failed', share(totals.failed)],
    ['Skipped', share(totals.skipped)],
    [
      'Success rate',
      ran === 0 ? `${UNKNOWN} (none ran)` : `${percent(totals.completed / ran)} of the ${ran} that ran`,
    ],
    ...speedRows(summary),
    ...waitedRow(summary),
    ['Tests', testsText(result)],
    ['Files modified', totals.filesModified],
    ['Commits', totals.commits],
    ['Errors', totals.errors],
    ['Warnings', totals.warnings],
    ['Started (UTC)', dateTime(createdAt)],
    ['Ended (UTC)', endedText(result, endedAt)],
    ...(summary === null || summary.sessions === 1 ? [] : [['Sessions', sessionsText(summary)]]),
    ...(retryOf === null ? [] : [['Tries again', [code(retryOf)]]]),
    ['Exit code', summary?.exitCode ?? null],
    ['Agents', summary === null ? null : agentsText(summary)],
    ['Coordinator', summary === null ? null : coordinator(summary)],
    ['Machine', summary === null ? null : machine(summary)],
    ['Database', [code(result.database)]],
  ];
}

function waitedRow(summary: ExecutionSummary | null): Cell[][] {
  const waited = summary?.waitedForRuns ?? null;
  return waited === null
    ? []
    : [['Waited for other runs', `${seconds(waited.seconds)} for locks of ${nameSome(waited.runIds)}`]];
}

function testsText({ tests }: ConsolidatedResult): string {
  const manual = tests.manual === 0 ? '' : `, ${plural(tests.manual, 'manual check')} apart`;
  if (tests.passed + tests.failed === 0) return `none run${manual}`;
  return `${tests.passed} passed, ${tests.failed} failed${manual}`;
}

function endedText({ run }: ConsolidatedResult, endedAt: string | null): string {
  if (endedAt !== null) return dateTime(endedAt);
  return run.state === 'running' ? `${UNKNOWN} (still under way)` : `${UNKNOWN} (not recorded)`;
}

function sessionsText({ sessions }: ExecutionSummary): string {
  return `${sessions}, together in all times; agents are those of the last, pauses count nowhere`;
}

function agentsText({ agentsCount, scaling, distribution }: ExecutionSummary): string {
  const count =
    scaling === null ? String(agentsCount) : `auto: ${scaling.start} at the start, ${scaling.most} at most`;
  return `${count}, ${distribution} distribution`;
}

function machine({ platform, cores, node, millrace }: ExecutionSummary): string {
  return `${platform}, ${plural(cores, 'core')}, Node ${node.replace(/^v/, '')}, Millrace ${millrace}`;
}

function coordinator({ overhead }: ExecutionSummary): string {
  return `${seconds(overhead.storeSeconds)} storing, ${seconds(overhead.consolidateSeconds)} consolidating`;
}

function unknownNote({ run }: ConsolidatedResult): string | null {
  if (run.executionSummary !== null) return null;
  switch (run.state) {
    case 'running':
      return 'Wall time, speed-up and exit code are known when the run has ended.';
    case 'interrupted':
      return `The process of this run ended before it could sum up: wall time, speed-up and exit code are not known. \`millrace run --resume ${run.runId}\` runs what is left of it.`;
    case 'ended':
      return 'An older version recorded this run: wall time, speed-up and exit code are not known.';
  }
}
