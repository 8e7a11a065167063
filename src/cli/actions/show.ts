import type { Capped } from '../../domain/capped.ts';
import { checkoutText } from '../../domain/history/history.ts';
import type { ResourceUse, RunSummary } from '../../domain/run-record.ts';
import type { ReviewedWork } from '../../domain/tool-record.ts';
import { jsonDocument } from '../../report/document.ts';
import { hostsOfRun } from '../../store/read/agents.ts';
import { reviews } from '../../store/read/attempts.ts';
import { eachListedResult, type ListedResult, resourceUse } from '../../store/read/short-results.ts';
import { reservationText } from '../../text/amounts.ts';
import { plural, seconds } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { ShowArguments } from '../commands/show.ts';
import { withRun } from '../history.ts';
import { hostsText, next, printText, stateWords, table } from '../print.ts';
import { printEach } from '../standard-output.ts';
import { documentOfRun } from './report.ts';

/** Longest recommendation that is shown, in characters. */
const SENTENCE = 1_000;
/** Most workstreams of which it is shown what they used. */
const MOST_USED = 30;
/** Most reviews that are shown. */
const MOST_REVIEWS = 30;
/** Longest name of a machine or a branch. */
const NAME = 120;

/** Shows a run's totals and each of its workstreams. */
export async function show(argv: ShowArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    if (argv.json) await printEach(jsonDocument(documentOfRun(connection, run.runId, argv.state)));
    else {
      const used = resourceUse(connection, run.runId, MOST_USED);
      const said = reviews(connection, run.runId, MOST_REVIEWS);
      const listed = results(eachListedResult(connection, run.runId));
      const hosts = hostsOfRun(connection, run.runId);
      const parts = [heading(run), listed, ...hostsText(hosts), ...reviewsText(said), ...usedText(used)];
      await printText(parts.join('\n\n'));
    }
    return 0;
  });
}

function heading(run: RunSummary): string {
  const { runId, createdAt, resumedAt, retryOf, totals, recommendations } = run;
  const { workstreams, completed, failed, skipped, takenOver, savedSeconds } = totals;
  const saved = takenOver === 0 ? '' : ` (${takenOver} taken over, ${seconds(savedSeconds)} saved)`;
  const lines = [
    `${runId}: ${stateWords(run)}, started ${createdAt}${resumedAt === null ? '' : `, resumed ${resumedAt}`}`,
    ...startedOn(run),
    ...(retryOf === null ? [] : [`Tries again what failed in ${retryOf}`]),
    `${workstreams} workstreams: ${completed} completed${saved}, ${failed} failed, ${skipped} skipped`,
    ...recommendations.map((sentence) => `- ${oneLine(sentence, SENTENCE)}`),
    ...(recommendations.length === 0 ? next(run) : []),
  ];
  return lines.join('\n');
}

/** The label, the machine, and what was checked out there, in a line; none where nothing is known. */
function startedOn({ label, hostname, checkout }: RunSummary): string[] {
  const parts = [
    ...(label === null ? [] : [`label ${label}`]),
    ...(hostname === null ? [] : [`on ${oneLine(hostname, NAME)}`]),
    ...(checkout === null ? [] : [`at ${oneLine(checkoutText(checkout), NAME)}`]),
  ];
  return parts.length === 0 ? [] : [parts.join(', ')];
}

const results = (found: Iterable<ListedResult>): string =>
  table(['workstream', 'status', 'agent', 'took', 'what'], rowsOf(found));

function* rowsOf(found: Iterable<ListedResult>): Generator<(string | null)[]> {
  for (const { workstreamId, status, agentId, durationSeconds, explanation, title, notMerged } of found) {
    const what = notMerged === null ? title : `not merged: ${oneLine(notMerged, SENTENCE)}`;
    yield [workstreamId, status, agentId, seconds(durationSeconds), explanation ?? what];
  }
}

/** What reviewers said, their gravest finding first; nothing where none was asked. */
function reviewsText({ shown, total }: Capped<ReviewedWork>): string[] {
  if (total === 0) return [];
  const rows = shown.map(({ workstreamId, attempt, tool, verdict, noVerdict, findings, found }) => [
    workstreamId,
    String(attempt),
    tool,
    verdict === 'none' ? 'no verdict' : verdict,
    String(found),
    noVerdict ?? findings[0]?.text ?? '',
  ]);
  const text = table(['workstream', 'attempt', 'reviewer', 'verdict', 'findings', 'what'], rows);
  return [total > shown.length ? `${text}\nand ${plural(total - shown.length, 'more review')}` : text];
}

/** What was reserved and used; nothing where no workstream reserved anything. */
function usedText({ shown, total }: Capped<ResourceUse>): string[] {
  if (total === 0) return [];
  const rows = shown.map(({ workstreamId, asked, used, advice }) => [
    workstreamId,
    reservationText(asked),
    reservationText(used),
    advice ?? '',
  ]);
  const text = table(['workstream', 'reserved', 'used', 'advice'], rows);
  return [total > shown.length ? `${text}\nand ${plural(total - shown.length, 'more workstream')}` : text];
}
