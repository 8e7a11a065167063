/** What is known of every failure over many runs. */
import { associations } from '../analysis/associations.ts';
import { patternHistory, patternHistoryOverall } from '../analysis/states.ts';
import type { FailureHistory, PatternSummary } from '../domain/history/failure-documents.ts';
import type { Association, LookedAt, Observation, PatternState, RunRef } from '../domain/history/history.ts';
import { runsUpTo } from '../store/read/history-runs.ts';
import { RunHistory } from '../store/read/run-history.ts';
import type { Connection } from '../store/schema/connection.ts';

export interface FailureHistories {
  runs: LookedAt;
  /** One for each pattern in each workstream. */
  failures: FailureHistory[];
  /** The one that needs attention most first. */
  patterns: PatternSummary[];
  /** The runs that a pattern was seen in, the newest first, with how many workstreams had it. */
  seenIn: (patternId: string) => { run: RunRef; workstreams: number }[];
  /** What a pattern is seen more often with than without, among all that could be said of all patterns. */
  goesWith: (patternId: string) => Association[];
}

/** From what a person has to look at to what is over. */
const ORDER: readonly PatternState[] = [
  'new',
  'regressed',
  'recurring',
  'flaky',
  'passing',
  'unknown',
  'fixed',
];

/** @param head the run that they are told as of. */
export function failureHistories(connection: Connection, head: RunRef, limit: number): FailureHistories {
  const history = new RunHistory(connection, runsUpTo(connection, head, limit));
  const seen = history.seenFailures();
  history.preload(seen.map(({ workstreamId }) => workstreamId));
  const seenIn = new Map<string, Map<RunRef, number>>();
  const failures = seen.map(({ workstreamId, patternId }): FailureHistory => {
    const observations = history.observations(workstreamId, patternId);
    noteRuns(seenIn, patternId, observations);
    return { workstreamId, patternId, history: patternHistory(observations), ...evidenceOf(observations) };
  });
  const texts = new Map(seen.map(({ patternId: id, type, pattern }) => [id, { id, type, pattern }]));
  const byPattern = new Map<string, FailureHistory[]>([...texts.keys()].map((id) => [id, []]));
  for (const failure of failures) byPattern.get(failure.patternId)?.push(failure);
  const patterns = [...texts.values()].flatMap((text): PatternSummary[] => {
    const members = byPattern.get(text.id) ?? [];
    const overall = patternHistoryOverall(members.map((member) => member.history));
    const runs = seenIn.get(text.id)?.size ?? 0;
    return overall === null ? [] : [{ ...text, history: overall, workstreams: members.length, runs }];
  });
  let goTogether: Association[] | null = null;
  const [first = head, last = head] = [history.runs[0]?.run, history.runs.at(-1)?.run];
  return {
    runs: { count: history.runs.length, first, last },
    failures,
    patterns: patterns.toSorted(
      (a, b) => ORDER.indexOf(a.history.state) - ORDER.indexOf(b.history.state) || b.runs - a.runs,
    ),
    seenIn: (patternId) =>
      [...(seenIn.get(patternId) ?? [])]
        .map(([run, workstreams]) => ({ run, workstreams }))
        .toSorted((a, b) => (a.run.at < b.run.at ? 1 : -1)),
    goesWith: (patternId) => {
      goTogether ??= associations(history.runs, history.circumstances(null));
      return goTogether.filter((each) => each.patternId === patternId);
    },
  };
}

const isSeen = ({ what, healed }: Observation): boolean => what === 'failed-so' || healed;

function noteRuns(
  seenIn: Map<string, Map<RunRef, number>>,
  patternId: string,
  observations: readonly Observation[],
): void {
  let counts = seenIn.get(patternId);
  if (counts === undefined) seenIn.set(patternId, (counts = new Map()));
  for (const observation of observations) {
    if (isSeen(observation)) counts.set(observation.run, (counts.get(observation.run) ?? 0) + 1);
  }
}

function evidenceOf(observations: readonly Observation[]) {
  const told = observations.filter(({ what }) => what === 'passed' || what === 'failed-so');
  const recoveries = told.filter(
    ({ what }, index) => what === 'passed' && told[index - 1]?.what === 'failed-so',
  );
  return {
    failedRuns: told.filter(({ what }) => what === 'failed-so').length,
    healedRuns: told.filter(({ healed }) => healed).length,
    recoveries: recoveries.length,
  };
}
