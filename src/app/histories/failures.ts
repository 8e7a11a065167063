/** How failures stand over runs: what `flaky` and `errors --history` print. */
import type {
  ErrorHistoryDocument,
  FailureHistory,
  FlakyDocument,
  PatternSummary,
} from '../../domain/history/failure-documents.ts';
import type { LookedAt } from '../../domain/history/history.ts';
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { errorPatterns } from '../../store/read/errors.ts';
import { presentId } from '../../store/read/patterns.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { FailureHistories } from '../failure-histories.ts';
import { Refusal } from '../refusal.ts';
import { lastRuns } from './words.ts';

/** Most patterns of a run among which one is looked for. */
const PATTERNS = 1_000;

// ── What is flaky ──

/** The most frequent first. */
export function flakyDocument({ runs, ...all }: FailureHistories): FlakyDocument {
  const failures = all.failures
    .filter(({ history }) => history.state === 'flaky')
    .toSorted((a, b) => (b.history.rate?.value ?? 0) - (a.history.rate?.value ?? 0));
  const ids = new Set(failures.map(({ patternId }) => patternId));
  const patterns = all.patterns.filter(({ id }) => ids.has(id));
  return { version: 1, verdict: flakyVerdict(failures, runs), runs, failures, patterns };
}

function flakyVerdict(failures: readonly FailureHistory[], runs: LookedAt): string {
  const workstreams = new Set(failures.map(({ workstreamId }) => workstreamId)).size;
  const looked = `the ${lastRuns(runs)}`;
  if (workstreams === 0) return `Nothing was flaky in ${looked}.`;
  return `${plural(workstreams, 'workstream')} ${workstreams === 1 ? 'was' : 'were'} flaky in ${looked}.`;
}

// ── Patterns ──

/**
 * The pattern that an id, or the beginning of one, means; also one that has become a part of another.
 * @throws Refusal with exit code 4 where no pattern is called so, 2 where several are.
 */
export function patternNamed(
  connection: Connection,
  { patterns, runs }: FailureHistories,
  given: string,
): PatternSummary {
  const named = presentId(connection, given);
  const found = patterns.filter(
    ({ id }) => id === named || id.startsWith(named) || id.startsWith(`p-${named}`),
  );
  const exact = found.find(({ id }) => id === named);
  const [first, second] = exact === undefined ? found : [exact];
  const shown = oneLine(named, 100);
  if (first === undefined)
    throw new Refusal(
      4,
      `No error of the ${lastRuns(runs)} has the pattern ${shown}. See: millrace errors --history`,
    );
  if (second === undefined) return first;
  throw new Refusal(2, `"${shown}" could be ${found.map(({ id }) => id).join(', ')}. Write more of the id.`);
}

function fixedText(failing: number, all: number): string {
  if (all === 1) return failing === 0 ? 'fixed' : 'not fixed';
  if (failing === 0) return 'all of them fixed';
  return failing === all ? 'none of them fixed' : `${failing} of them not fixed`;
}

/** What is known of all patterns. */
export function errorHistoryDocument({ patterns, runs }: FailureHistories): ErrorHistoryDocument {
  const failing = patterns.filter(({ history }) => history.state !== 'fixed').length;
  const verdict =
    patterns.length === 0
      ? `The ${lastRuns(runs)} had no errors.`
      : `${plural(patterns.length, 'error pattern')} in the ${lastRuns(runs)}, ${fixedText(failing, patterns.length)}.`;
  return { version: 1, verdict, runs, patterns, pattern: null };
}

/** What is known of one. */
export function patternHistoryDocument(
  connection: Connection,
  { failures, runs, seenIn, goesWith }: FailureHistories,
  one: PatternSummary,
): ErrorHistoryDocument {
  const seen = seenIn(one.id);
  const verdict = `${one.id} is ${one.history.state}: seen in ${one.runs} of the ${lastRuns(runs)}, in ${plural(one.workstreams, 'workstream')}.`;
  return {
    version: 1,
    verdict,
    runs,
    patterns: [one],
    pattern: {
      failures: failures.filter(({ patternId }) => patternId === one.id),
      goesWith: goesWith(one.id),
      values: valuesIn(connection, seen[0]?.run.runId, one.id),
      seenIn: seen,
    },
  };
}

/** What stands in the holes of a pattern in one run; nothing where only attempts of that run had it. */
function valuesIn(connection: Connection, runId: string | undefined, id: string): ErrorPattern['values'] {
  if (runId === undefined) return [];
  return errorPatterns(connection, runId, PATTERNS).shown.find((each) => each.id === id)?.values ?? [];
}
