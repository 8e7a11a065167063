import { heldUp } from '../analysis/held-up.ts';
import { saysOnlyHow } from '../domain/failure.ts';
import type { AwaitedLimit, RunDocumentHead, RunSummary, ShortResult } from '../domain/run-record.ts';
import { plural } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';

/** Longest name of a tool, in characters. */
const NAME = 100;

/** What a verdict is made of. */
type Found = Pick<RunDocumentHead, 'run' | 'failures' | 'skipped' | 'errors' | 'merges'>;

/** The state of a run in one sentence, and where to start. `code` is marked by backticks. */
export function verdict(result: Found): string {
  const broken = result.merges?.problems.shown.filter(({ status }) => status === 'breaks-tests') ?? [];
  const sentence = ownVerdict(result);
  const [first] = broken;
  if (first === undefined || result.run.state === 'running') return sentence;
  const what =
    broken.length === 1 ? `The work of \`${first.workstreamId}\` is` : `The work of ${broken.length} is`;
  return `${sentence} ${what} not merged, because tests fail with it.`;
}

function ownVerdict(result: Found): string {
  const { run } = result;
  const { workstreams: total, completed, failed, skipped } = run.totals;
  if (run.state === 'running') {
    const done = completed + failed + skipped;
    return `This run is still under way: ${done} of ${plural(total, 'workstream')} have ended (${completed} completed, ${failed} failed, ${skipped} skipped).`;
  }
  if (run.state === 'interrupted') {
    const { interruptedBy: by = null, waitsForLimit: limit = null } = run.executionSummary ?? {};
    const rest = total - completed - failed;
    if (limit !== null) return waitingSentence(run, limit);
    return `This run was interrupted${by === null ? '' : ` by ${by}`}: ${completed} of ${plural(total, 'workstream')} completed, ${failed} failed and ${rest} did not run to the end.`;
  }
  if (total === 0) return 'This run had no workstreams.';
  if (completed === total) return completedSentence(run.totals);
  if (failed === 0)
    return `${completed} of ${plural(total, 'workstream')} completed and ${skipped} ${were(skipped)} skipped.`;
  return failedSentence(result);
}

function waitingSentence({ runId, totals }: RunSummary, { tool, until }: AwaitedLimit): string {
  const { workstreams: total, completed, failed } = totals;
  const rest = total - completed - failed;
  const ended = `${completed} of ${plural(total, 'workstream')} completed${failed === 0 ? '' : `, ${failed} failed`}`;
  const name = oneLine(tool, NAME).replaceAll('`', "'");
  return `This run waits for a usage limit: ${ended}, and ${rest} can go on when that of ${name} resets at ${until}, with \`millrace run --resume ${runId}\`.`;
}

function completedSentence({ workstreams: total, takenOver }: RunDocumentHead['run']['totals']): string {
  const sentence = total === 1 ? 'The one workstream completed' : `All ${total} workstreams completed`;
  if (takenOver === 0) return `${sentence}.`;
  const what =
    takenOver === total ? (total === 1 ? 'its result' : 'all results') : `${takenOver} of the results`;
  return `${sentence}: ${what} ${takenOver === 1 ? 'was' : 'were'} taken over from earlier runs.`;
}

/**
 * The failure to start with, whose cure is likely to let most workstreams complete: an example of the most frequent
 * pattern, or the failure that more were skipped for; or else the first failure.
 */
export function firstFailure(result: Found): ShortResult | null {
  const frequent = mostFrequent(result);
  const blocker = largestBlocker(result);
  if (blocker !== null && blocker.heldUp + 1 > (frequent?.count ?? 0)) return blocker.failure;
  const example = result.failures.shown.find((each) => each.workstreamId === frequent?.example.workstreamId);
  return example ?? result.failures.shown[0] ?? null;
}

/** The failure for which most workstreams were skipped. */
function largestBlocker({ failures, skipped }: Found): { failure: ShortResult; heldUp: number } | null {
  const groups = heldUp(skipped.shown);
  let largest: { failure: ShortResult; heldUp: number } | null = null;
  for (const failure of failures.shown) {
    const count = groups.get(failure.workstreamId)?.length ?? 0;
    if (count > (largest?.heldUp ?? 0)) largest = { failure, heldUp: count };
  }
  return largest;
}

function failedSentence(result: Found): string {
  const { workstreams: total, failed, skipped, errors } = result.run.totals;
  const most = mostFrequent(result);
  const same =
    most !== null && most.count > 1 && most.count * 2 >= failed && errors === failed
      ? `, ${most.count} of them ${saysOnlyHow(most.type) ? 'alike' : 'with the same error'},`
      : '';
  const rest = skipped > 0 ? ` and ${skipped} ${were(skipped)} skipped` : '';
  const sentence = `${failed} of ${plural(total, 'workstream')} failed${same}${rest}`.replace(/,$/, '');
  const first = firstFailure(result);
  const start =
    first === null
      ? ''
      : `; start with \`${first.workstreamId}\`${first.reason === null ? '' : ` (${first.reason})`}`;
  return `${sentence}${start}.`;
}

function mostFrequent(result: Found): RunDocumentHead['errors'][number] | null {
  const [first, ...others] = result.errors;
  if (first === undefined) return null;
  return others.reduce((most, each) => (each.count > most.count ? each : most), first);
}

function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}
