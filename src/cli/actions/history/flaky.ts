import { failureHistories } from '../../../app/failure-histories.ts';
import { flakyDocument } from '../../../app/histories/failures.ts';
import type { FailureHistory, FlakyDocument } from '../../../domain/history/failure-documents.ts';
import { plural } from '../../../text/format.ts';
import type { FlakyArguments } from '../../commands/history/flaky.ts';
import { withHead } from '../../history.ts';
import { rateText } from '../../history-cells.ts';
import { historyLength } from '../../options.ts';
import { type Page, printPage } from '../../page.ts';

/** Shows what is flaky as of the newest run, the most frequent first. */
export async function flaky(argv: FlakyArguments): Promise<number> {
  const length = historyLength(argv.last);
  return withHead(argv.state, undefined, async (connection, head) => {
    const document = flakyDocument(failureHistories(connection, head, length));
    await printPage(argv, pageOf(document), document);
    return 0;
  });
}

function pageOf({ verdict, failures, patterns }: FlakyDocument): Page {
  const texts = new Map(patterns.map(({ id, type, pattern }) => [id, `${type}: ${pattern}`]));
  return {
    answer: verdict,
    sections: [
      {
        title: 'Workstreams',
        head: ['workstream', 'failed', 'evidence', 'last failed', 'pattern', 'failure'],
        rows: failures.map((failure) => [
          failure.workstreamId,
          rateText(failure.history),
          evidenceText(failure),
          failure.history.lastSeen?.runId ?? null,
          failure.patternId,
          texts.get(failure.patternId) ?? null,
        ]),
      },
      {
        title: 'Patterns',
        head: ['pattern', 'runs', 'workstreams', 'failure'],
        rows: patterns.map(({ id, runs, workstreams, type, pattern }) => [
          id,
          runs,
          workstreams,
          `${type}: ${pattern}`,
        ]),
      },
    ],
  };
}

/** What speaks for chance. */
function evidenceText({ recoveries, healedRuns }: FailureHistory): string {
  const parts = [
    ...(recoveries === 0 ? [] : [`passed again ${times(recoveries)}`]),
    ...(healedRuns === 0 ? [] : [`a retry passed in ${plural(healedRuns, 'run')}`]),
  ];
  return parts.join(', ');
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
