import { parseOptions } from '../../app/options.ts';
import { resolvePaths } from '../../app/paths.ts';
import { type BacklogEntry, backlog as readBacklog } from '../../app/resume/backlog.ts';
import { plural, seconds } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { BacklogArguments } from '../commands/backlog.ts';
import { readProject } from '../config.ts';
import { namesOf } from '../given-options.ts';
import { printJson, printText, table } from '../print.ts';

const HEAD = ['workstream', 'verdict', 'merged', 'branch', 'cost', 'age', 'runs', 'next'];

/** Longest text of a cell, in characters. */
const CELL = 120;

/** Shows every workstream of the folder with its last verdict over all runs. Exit code 0 whatever they are. */
export async function backlog(argv: BacklogArguments): Promise<number> {
  const project = await readProject(process.cwd());
  const { workstreams, state, tool = null, workspace = null } = argv;
  const { options } = parseOptions({
    workstreams,
    state,
    tool,
    workspace,
    bestOf: namesOf('best-of', argv.bestOf),
    project,
  });
  const entries = await readBacklog(options, resolvePaths(options));
  if (argv.json) {
    await printJson({ version: 1, workstreams: entries.map(asJson) });
    return 0;
  }
  const now = Date.now();
  await printText(
    `${table(
      HEAD,
      entries.map((entry) => rowOf(entry, now)),
    )}\n\n${sentence(entries)}`,
  );
  return 0;
}

function rowOf(entry: BacklogEntry, now: number): (string | number | null)[] {
  const { id, verdict, reason, isChanged, branch, costUsd, at, runs, next } = entry;
  const why = reason === null ? '' : ` (${reason})`;
  return [
    id,
    `${verdict}${why}${isChanged ? ', changed since' : ''}`,
    mergeText(entry),
    branch,
    costUsd === null ? null : `$${costUsd.toFixed(2)}`,
    at === null ? null : seconds(Math.max(0, Math.round((now - Date.parse(at)) / 1000))),
    runs,
    next,
  ];
}

function mergeText({ merge, partner, failingTest }: BacklogEntry): string | null {
  if (merge === null) return null;
  const test = failingTest === null ? '' : `: ${oneLine(failingTest, CELL)}`;
  return `${merge.replaceAll('-', ' ')}${test}${partner === null ? '' : `, with ${partner}`}`;
}

/** What is left, in a sentence. */
function sentence(entries: readonly BacklogEntry[]): string {
  const left = entries.filter(({ next }) => next !== null).length;
  return left === 0
    ? `Nothing is left of ${plural(entries.length, 'workstream')}.`
    : `${plural(entries.length, 'workstream')}, of which ${left} ${left === 1 ? 'has' : 'have'} something to be done.`;
}

const asJson = (entry: BacklogEntry) => ({
  id: entry.id,
  title: entry.title,
  verdict: entry.verdict,
  reason: entry.reason,
  explanation: entry.explanation,
  run_id: entry.run,
  at: entry.at,
  branch: entry.branch,
  merge_status: entry.merge,
  merge_partner: entry.partner,
  merge_test: entry.failingTest,
  cost_usd: entry.costUsd,
  runs: entry.runs,
  changed: entry.isChanged,
  next: entry.next,
});
