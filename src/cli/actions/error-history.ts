import { describeAssociation } from '../../analysis/associations.ts';
import { type FailureHistories, failureHistories } from '../../app/failure-histories.ts';
import { Refusal } from '../../app/refusal.ts';
import type {
  ErrorHistoryDocument,
  FailureHistory,
  PatternSummary,
} from '../../domain/history/failure-documents.ts';
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { errorPatterns } from '../../store/read/errors.ts';
import { presentId } from '../../store/read/patterns.ts';
import type { Connection } from '../../store/schema/connection.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { ErrorsArguments } from '../commands/errors.ts';
import { withHead } from '../history.ts';
import { commitsText, lastRuns, rateText } from '../history-cells.ts';
import { type Page, printPage, type Section } from '../page.ts';

/** Most patterns of a run among which one is looked for. */
const PATTERNS = 1_000;
/** Most runs that are listed for one pattern. */
const RUNS = 20;

/**
 * Shows how errors stand over many runs: all of them, or one pattern.
 * @param asked.named id of the pattern, or the beginning of it; empty for all.
 * @param asked.length how many runs are looked at.
 * @throws Refusal with exit code 4 where no pattern is called so, 2 where several are.
 */
export async function errorHistory(
  argv: ErrorsArguments,
  asked: { named: string; length: number },
): Promise<number> {
  const { named, length } = asked;
  return withHead(argv.state, argv.run, async (connection, head) => {
    const all = failureHistories(connection, head, length);
    const one = named === '' ? null : patternNamed(all, presentId(connection, named));
    const document = one === null ? allDocument(all) : oneDocument(connection, all, one);
    await printPage(argv, one === null ? allPage(document) : onePage(document, one), document);
    return 0;
  });
}

function patternNamed({ patterns, runs }: FailureHistories, named: string): PatternSummary {
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

function allDocument({ patterns, runs }: FailureHistories): ErrorHistoryDocument {
  const failing = patterns.filter(({ history }) => history.state !== 'fixed').length;
  const verdict =
    patterns.length === 0
      ? `The ${lastRuns(runs)} had no errors.`
      : `${plural(patterns.length, 'error pattern')} in the ${lastRuns(runs)}, ${failing} of them not fixed.`;
  return { version: 1, verdict, runs, patterns, pattern: null };
}

function oneDocument(
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

const HEAD = ['state', 'first seen', 'last seen', 'last passed', 'failed', 'commits'];

const stateCells = ({ history }: { history: FailureHistory['history'] }) => [
  history.state,
  history.firstSeen?.runId ?? null,
  history.lastSeen?.runId ?? null,
  history.lastPassed?.runId ?? 'never',
  rateText(history),
  commitsText(history),
];

function allPage({ verdict, patterns }: ErrorHistoryDocument): Page {
  const rows = patterns.map((each) => [
    each.id,
    each.runs,
    each.workstreams,
    ...stateCells(each),
    `${each.type}: ${each.pattern}`,
  ]);
  const head = ['pattern', 'runs', 'workstreams', ...HEAD, 'error'];
  return { answer: verdict, sections: [{ title: null, head, rows }] };
}

function onePage({ verdict, pattern }: ErrorHistoryDocument, { type, pattern: text }: PatternSummary): Page {
  if (pattern === null) return { answer: verdict, sections: [] };
  const { failures, values, goesWith, seenIn } = pattern;
  return {
    answer: verdict,
    sections: [
      {
        title: null,
        notes: [`${type}: ${text}`, ...goesWith.map((each) => `It ${describeAssociation(each)}.`)],
      },
      {
        title: 'Workstreams',
        head: ['workstream', ...HEAD],
        rows: failures.map((failure) => [failure.workstreamId, ...stateCells(failure)]),
      },
      valuesSection(values),
      {
        title: 'Runs',
        head: ['run', 'started', 'label', 'workstreams'],
        rows: seenIn
          .slice(0, RUNS)
          .map(({ run, workstreams }) => [run.runId, run.at, run.label ?? '', workstreams]),
        total: seenIn.length,
      },
    ],
  };
}

function valuesSection(values: ErrorPattern['values']): Section {
  return {
    title: 'Values in the last run that had it',
    head: ['place', 'different', 'most frequent'],
    rows: values.map(({ hole, distinct, shown }) => [
      hole + 1,
      distinct,
      shown.map(({ text, count }) => `${text} (${count})`).join(', '),
    ]),
  };
}
