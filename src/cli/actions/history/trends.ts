import { trendsDocument } from '../../../app/histories/trends.ts';
import { changeText, lastRuns } from '../../../app/histories/words.ts';
import { Refusal } from '../../../app/refusal.ts';
import type { DurationShift } from '../../../domain/history/history.ts';
import type { Trend, TrendsDocument } from '../../../domain/history/trends-document.ts';
import { plural, seconds } from '../../../text/format.ts';
import { oneLine } from '../../../text/printable.ts';
import type { TrendsArguments } from '../../commands/history/trends.ts';
import { withHead } from '../../history.ts';
import { recentBars } from '../../history-cells.ts';
import { historyLength } from '../../options.ts';
import { type Page, printPage, type Section } from '../../page.ts';

/** Most workstreams that are listed although nothing changed, and most runs of one workstream. */
const STEADY = 20;
const POINTS = 20;

/** Shows what became slower or faster as of the newest run, or how long one workstream took. */
export async function trends(argv: TrendsArguments): Promise<number> {
  const length = historyLength(argv.last);
  return withHead(argv.state, undefined, async (connection, head) => {
    const document = trendsDocument(connection, head, length);
    const { workstream } = argv;
    if (workstream === undefined) await printPage(argv, pageOf(document), document);
    else {
      const trend = trendOf(document, workstream);
      const verdict = trendSentence(trend);
      await printPage(argv, onePage(verdict, trend), { ...document, verdict, workstreams: [trend] });
    }
    return 0;
  });
}

/** @throws Refusal with exit code 4 where it never completed in these runs. */
function trendOf({ workstreams, runs }: TrendsDocument, id: string): Trend {
  const found = workstreams.find(({ workstreamId }) => workstreamId === id);
  if (found !== undefined) return found;
  throw new Refusal(
    4,
    `${oneLine(id, 100)} completed in none of the ${lastRuns(runs)}, so nothing is known of its durations.`,
  );
}

function trendSentence({ workstreamId, state, shift, points, medianSeconds }: Trend): string {
  const usual = `its median is ${seconds(medianSeconds)}`;
  if (state === 'too-few-runs')
    return `Too few runs: ${workstreamId} completed in ${plural(points.length, 'run')} with its present definition.`;
  if (shift === null) return `${workstreamId} is as fast as before: ${usual}.`;
  return `${workstreamId} became ${state}: ${seconds(shift.beforeSeconds)} before, ${seconds(shift.afterSeconds)} since ${shift.since.runId} (${changeText(shift.ratio)}).`;
}

function pageOf({ verdict, workstreams }: TrendsDocument): Page {
  const changed = workstreams.filter(({ shift }) => shift !== null);
  const others = workstreams.filter(({ shift }) => shift === null);
  return {
    answer: verdict,
    sections: [
      {
        title: 'Slower or faster',
        head: ['workstream', 'was', 'is', 'by', 'since', 'commit', 'runs', 'over time'],
        rows: changed.map(({ shift, workstreamId, points }) => [
          workstreamId,
          ...shiftCells(shift),
          points.length,
          sparkOf(points),
        ]),
      },
      {
        title: 'As before, the longest first',
        head: ['workstream', 'median', 'runs', 'over time'],
        rows: others
          .slice(0, STEADY)
          .map(({ workstreamId, state, medianSeconds, points }) => [
            workstreamId,
            seconds(medianSeconds),
            state === 'too-few-runs' ? `${points.length}, too few` : points.length,
            sparkOf(points),
          ]),
        total: others.length,
      },
    ],
  };
}

const sparkOf = (points: Trend['points']): string => recentBars(points.map((point) => point.seconds));

function shiftCells(shift: DurationShift | null): (string | null)[] {
  if (shift === null) return [];
  const { beforeSeconds, afterSeconds, ratio, since } = shift;
  return [
    seconds(beforeSeconds),
    seconds(afterSeconds),
    changeText(ratio),
    since.runId,
    since.commit?.slice(0, 10) ?? null,
  ];
}

function onePage(answer: string, { changes, points }: Trend): Page {
  const changesSection: Section = {
    title: 'Lasting changes',
    head: ['was', 'then', 'by', 'since', 'commit'],
    rows: changes.map(shiftCells),
  };
  const runsSection: Section = {
    title: 'Last runs',
    head: ['run', 'took'],
    rows: points
      .slice(-POINTS)
      .toReversed()
      .map((point) => [point.runId, seconds(point.seconds)]),
    total: points.length,
  };
  return {
    answer,
    sections: [
      { title: null, notes: points.length === 0 ? [] : [sparkOf(points)] },
      changesSection,
      runsSection,
    ],
  };
}
