/** Where and on what a run was executed, and the machine’s own figures: the end of the page. */
import type { Checkout } from '../domain/history/history.ts';
import { count, duration, oneLine, percent, plural, UNKNOWN } from './model/format.ts';
import type { Run } from './model/run.ts';
import { Pairs, Prose, SectionView, Time, Words, WorkstreamLink } from './parts.tsx';

export function Environment({ run }: { run: Run }) {
  const { run: summary, recommendations, warnings } = run.head;
  const ended = summary.executionSummary;
  const pairs: [string, preact.ComponentChildren][] = [
    ['Run', <code>{summary.runId}</code>],
    ...(summary.label === null
      ? []
      : [['Label', <Words text={summary.label} length={100} />] as [string, preact.ComponentChildren]]),
    ['Started', <Time iso={summary.createdAt} />],
    ...(summary.endedAt === null
      ? []
      : [['Ended', <Time iso={summary.endedAt} />] as [string, preact.ComponentChildren]]),
    ...(summary.hostname === null
      ? []
      : [['Machine', <Words text={summary.hostname} length={100} />] as [string, preact.ComponentChildren]]),
    ...(summary.checkout === null
      ? []
      : [
          ['Checkout', <Words text={checkoutText(summary.checkout)} length={120} />] as [
            string,
            preact.ComponentChildren,
          ],
        ]),
    ...run.head.parked.map(({ tool, seconds, until, hasWorked }): [string, preact.ComponentChildren] => [
      'Usage limit',
      <>
        <Words text={tool} length={100} /> waited {duration(seconds)}
        {hasWorked ? null : (
          <>
            {' '}
            and has not worked since: it waits until <Time iso={until} />
          </>
        )}
      </>,
    ]),
    ['Database', <code>{oneLine(run.document.paths.database, 300)}</code>],
  ];
  return (
    <SectionView id="environment" title="Environment">
      <div class="stacked">
        {recommendations.length > 0 && (
          <div class="card pad">
            <h3>What the run recommends</h3>
            <ul class="advice">
              {recommendations.slice(0, 20).map((text) => (
                <li key={text}>
                  <Prose text={text} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {warnings.total > 0 && (
          <details class="card pad">
            <summary>{plural(warnings.total, 'warning')}</summary>
            <ul class="advice">
              {warnings.shown.slice(0, 100).map(({ workstreamId, text }, index) => (
                <li key={index}>
                  <WorkstreamLink id={workstreamId} /> <Words text={text} length={400} />
                </li>
              ))}
            </ul>
          </details>
        )}
        <div class="card pad">
          <Pairs pairs={[...pairs, ...(ended === null ? [] : machinePairs(run))]} />
        </div>
      </div>
    </SectionView>
  );
}

function machinePairs(run: Run): [string, preact.ComponentChildren][] {
  const summary = run.head.run.executionSummary;
  if (summary === null) return [];
  const { millrace, node, platform, cores, distribution, sessions, overhead, speed, exitCode } = summary;
  const store = overhead.storeSeconds + overhead.consolidateSeconds;
  return [
    ['Exit code', String(exitCode)],
    ['Millrace', `${millrace}, Node ${node}, ${platform}, ${plural(cores, 'core')}`],
    ...(sessions > 1 ? [['Sessions', count(sessions)] as [string, string]] : []),
    ['Distribution', distribution],
    [
      'Critical path',
      speed.criticalPath.length === 0
        ? UNKNOWN
        : `${duration(speed.criticalPathSeconds)}: ${oneLine(speed.criticalPath.join(' → '), 300)}`,
    ],
    [
      'Coordinator',
      `${duration(overhead.storeSeconds)} storing, ${duration(overhead.consolidateSeconds)} consolidating${speed.wallSeconds > 0 ? `, ${percent(store / speed.wallSeconds)} of the run` : ''}`,
    ],
  ];
}

/** "1a2b3c4d5e on main, with changes" */
function checkoutText({ commit, branch, isDirty }: Checkout): string {
  const on = branch === null ? '' : ` on ${branch}`;
  return `${commit.slice(0, 10)}${on}${isDirty === true ? ', with changes' : ''}`;
}
