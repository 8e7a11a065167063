/** What GitHub Actions shows of a run: the job's summary and annotations. */
import { type ErrorPattern, firstWorkstreams } from '../domain/history/pattern.ts';
import type { ConsolidatedResult } from '../domain/run-record.ts';
import { firstOf } from '../text/cut-text.ts';
import { plural, seconds } from '../text/format.ts';
import { printable } from '../text/printable.ts';
import { type Block, code, glue, heading, paragraph, prose, strong, table } from './nodes.ts';
import { serialise } from './serialise.ts';
import { verdict } from './verdict.ts';

/** Most patterns of failures in the summary. */
const LISTED = 20;

/** GitHub shows at most this many annotations of one kind for a step. */
const ANNOTATIONS = 10;

/** Most characters of an annotation's message. */
const MESSAGE = 1000;

/** Short Markdown for `$GITHUB_STEP_SUMMARY`: the verdict, the totals, the failures and what to do next. */
export function githubSummary(result: ConsolidatedResult): string {
  const { run, patterns } = result;
  const speed = run.executionSummary?.speed ?? null;
  const shown = patterns.shown.slice(0, LISTED);
  const blocks: Block[] = [
    heading(2, glue('Millrace '), code(run.runId)),
    paragraph(...prose(verdict({ ...result, errors: patterns.shown }))),
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
  if (shown.length > 0) blocks.push(table(['Failed', 'Reason', 'What happened'], shown.map(patternRow)));
  const left = patterns.total - shown.length;
  if (left > 0)
    blocks.push(
      paragraph(`and ${plural(left, 'more pattern')}: `, code(`millrace errors ${run.runId}`), '.'),
    );
  const [next] = run.recommendations;
  if (next !== undefined) blocks.push(paragraph(strong('Next'), glue(': '), ...prose(next, 800)));
  return serialise(blocks);
}

/** One `::error` workflow command an error pattern, as many as GitHub shows; the last one counts those left out. */
export function githubAnnotations(result: ConsolidatedResult): string[] {
  const { patterns, run } = result;
  const all = patterns.shown.map((pattern) => annotation(pattern, result));
  if (patterns.total <= ANNOTATIONS && all.length === patterns.total) return all;
  const shown = all.slice(0, ANNOTATIONS - 1);
  const left = `${plural(patterns.total - shown.length, 'more pattern')}: millrace errors ${run.runId}`;
  return [...shown, command({ title: 'More workstreams failed' }, left)];
}

function annotation(pattern: ErrorPattern, result: ConsolidatedResult): string {
  const { id, type, count, telling, example } = pattern;
  const { named, left } = firstWorkstreams(pattern);
  const title =
    count > 1 ? `${count} workstreams failed (${type})` : `${example.workstreamId} failed (${type})`;
  const members = `in ${named.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
  const lines = count > 1 ? [telling, members, `millrace errors --history ${id}`] : singleText(pattern);
  const text = lines.map((line) => printable(firstOf(line, MESSAGE))).join('\n');
  return command({ ...place(pattern, result), title }, text === '' ? type : text);
}

/** The message, and the line of the output that tells, where the message does not. */
const singleText = ({ telling, example }: ErrorPattern): string[] =>
  example.message.includes(telling) ? [example.message] : [example.message, telling];

/** The place in a workstream file of an invalid definition's first problem. */
function place({ example }: ErrorPattern, { failures }: ConsolidatedResult): Record<string, string> {
  const failure = failures.shown.find(({ workstreamId: id }) => id === example.workstreamId)?.failure;
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

function patternRow(pattern: ErrorPattern): Parameters<typeof table>[1][number] {
  const { named, left } = firstWorkstreams(pattern);
  const names = named.flatMap((id, index) => (index === 0 ? [code(id)] : [glue(', '), code(id)]));
  return [
    left > 0 ? [...names, glue(` and ${left} more`)] : names,
    pattern.type,
    prose(pattern.count > 1 ? pattern.telling : singleText(pattern).join(' '), 300),
  ];
}
