import { describeAssociation } from '../../../analysis/associations.ts';
import { failureHistories } from '../../../app/failure-histories.ts';
import {
  errorHistoryDocument,
  patternHistoryDocument,
  patternNamed,
} from '../../../app/histories/failures.ts';
import type {
  ErrorHistoryDocument,
  FailureHistory,
  PatternSummary,
} from '../../../domain/history/failure-documents.ts';
import type { ErrorPattern } from '../../../domain/history/pattern.ts';
import type { ErrorsArguments } from '../../commands/errors.ts';
import { withHead } from '../../history.ts';
import { commitsText, rateText } from '../../history-cells.ts';
import { type Page, printPage, type Section } from '../../page.ts';

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
    const one = named === '' ? null : patternNamed(connection, all, named);
    const document = one === null ? errorHistoryDocument(all) : patternHistoryDocument(connection, all, one);
    await printPage(argv, one === null ? allPage(document) : onePage(document, one), document);
    return 0;
  });
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
