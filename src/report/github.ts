/** What GitHub Actions shows of a run: the job's summary and annotations. */
import type { ConsolidatedResult, ShortResult } from '../domain/run-record.ts';
import { firstOf } from '../text/cut-text.ts';
import { plural, seconds } from '../text/format.ts';
import { printable } from '../text/printable.ts';
import { type Block, code, glue, heading, paragraph, prose, strong, table } from './nodes.ts';
import { serialise } from './serialise.ts';
import { verdict } from './verdict.ts';

/** Most failures in the summary. */
const LISTED = 20;

/** GitHub shows at most this many annotations of one kind for a step. */
const ANNOTATIONS = 10;

/** Most characters of an annotation's message. */
const MESSAGE = 1000;

/** Short Markdown for `$GITHUB_STEP_SUMMARY`: the verdict, the totals, the failures and what to do next. */
export function githubSummary(result: ConsolidatedResult): string {
  const { run, failures } = result;
  const speed = run.executionSummary?.speed ?? null;
  const shown = failures.shown.slice(0, LISTED);
  const blocks: Block[] = [
    heading(2, glue('Millrace '), code(run.runId)),
    paragraph(...prose(verdict({ ...result, errors: result.patterns.shown }))),
    table(
      ['Completed', 'Failed', 'Skipped', 'Wall time', 'Work in all'],
      [
        [
          run.totals.completed,
          run.totals.failed,
          run.totals.skipped,
          seconds(speed?.wallSeconds ?? null),
          seconds(speed?.busySeconds ?? null),
        ],
      ],
    ),
  ];
  if (shown.length > 0) blocks.push(table(['Failed', 'Reason', 'What happened'], shown.map(failureRow)));
  const left = failures.total - shown.length;
  if (left > 0)
    blocks.push(
      paragraph(`and ${plural(left, 'more failure')}: `, code(`millrace errors ${run.runId}`), '.'),
    );
  const [next] = run.recommendations;
  if (next !== undefined) blocks.push(paragraph(strong('Next'), glue(': '), ...prose(next, 800)));
  return serialise(blocks);
}

/** One `::error` workflow command a failure, as many as GitHub shows; the last one counts those left out. */
export function githubAnnotations(result: ConsolidatedResult): string[] {
  const { failures, run } = result;
  if (failures.total <= ANNOTATIONS && failures.shown.length === failures.total)
    return failures.shown.map(annotation);
  const shown = failures.shown.slice(0, ANNOTATIONS - 1);
  const left = `${plural(failures.total - shown.length, 'more failure')}: millrace errors ${run.runId}`;
  return [...shown.map(annotation), command({ title: 'More workstreams failed' }, left)];
}

function annotation(failure: ShortResult): string {
  const message = printable(firstOf(failure.explanation ?? failure.reason ?? 'failed', MESSAGE));
  const reason = failure.reason === null ? '' : ` (${failure.reason})`;
  return command({ ...place(failure), title: `${failure.workstreamId} failed${reason}` }, message);
}

/** The place in a workstream file of an invalid definition's first problem. */
function place({ failure }: ShortResult): Record<string, string> {
  if (failure?.reason !== 'invalid-workstream' || failure.place === undefined) return {};
  const { file, line, column } = failure.place;
  return { file, line: String(line), col: String(column) };
}

function command(properties: Record<string, string>, message: string): string {
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(value)}`);
  return `::error ${list.join(',')}::${escapeData(message)}`;
}

function escapeData(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(value: string): string {
  return escapeData(printable(value)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function failureRow(failure: ShortResult): Parameters<typeof table>[1][number] {
  return [
    [code(failure.workstreamId)],
    failure.reason,
    failure.explanation === null ? null : prose(failure.explanation, 300),
  ];
}
