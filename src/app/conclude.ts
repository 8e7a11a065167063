/** The end of a run: consolidate, recommend, record, report. */
import { recommend } from '../analysis/recommendations.ts';
import type { Recorder, RunEnd } from '../domain/recorder.ts';
import type {
  ConsolidatedResult,
  ExecutionSummary,
  RunResources,
  RunSummary,
  RunsWaitedFor,
  Speed,
} from '../domain/run-record.ts';
import { exitCodeOf } from '../os/end-signals.ts';
import { packageVersion } from '../os/package-version.ts';
import { usableCores } from '../os/usable-cores.ts';
import type { DocumentSource } from '../report/document.ts';
import { markdownReport } from '../report/markdown.ts';
import { htmlPage } from '../report/page.ts';
import { ReportError, type ReportFile, removePage, writeReport } from '../report/write.ts';
import { type Interruption, MAX_TIME } from '../run/attempt/outcome.ts';
import type { Coordinator } from '../run/coordinator.ts';
import { consolidate } from '../store/read/consolidate.ts';
import { storeError } from '../store/schema/store-error.ts';
import { scalingSummary } from '../store/write/agent-counts.ts';
import { correctTotals } from '../store/write/end-run.ts';
import { settlePatterns } from '../store/write/patterns.ts';
import type { RunDatabase } from '../store/write/run-database.ts';
import { lookBack } from './comparison.ts';
import type { Paths } from './paths.ts';
import { documentOf, type RunResult } from './run-document.ts';

export interface Conclusion {
  runId: string;
  database: Pick<RunDatabase, 'connection'>;
  recorder: Recorder;
  paths: Paths;
  distribution: 'dynamic' | 'round-robin';
  /** The most that there were. */
  agents: number;
  interruption: Interruption | null;
  /** The usage limit that was not waited for, with all that was left; null for none. */
  unawaited: Coordinator['unawaited'];
  /** Whether the report is also written as an HTML page. */
  withPage: boolean;
  /** Whether workstreams were left for another time. */
  isPartial: boolean;
  /** How often the run was started. */
  sessions: number;
  waitedForRuns: RunsWaitedFor | null;
  speed: Speed;
  /** What its workstreams could reserve; null where none reserved anything. */
  resources: RunResources | null;
}

/** The exit code of a run in which all that is left waits for usage limits. */
const LIMITED = 5;

/**
 * Results are read back from the database, so that this report and one made next month are the same.
 * A report that can't be written does not take the results with it.
 * @throws StoreError when the run's own row can't be written.
 */
export function conclude(conclusion: Conclusion): RunResult {
  const { runId, recorder, paths, interruption, unawaited, isPartial } = conclusion;
  const start = performance.now();
  const { result: found, comparison } = lookBack(conclusion.database.connection, consolidated(conclusion));
  const isSignal = interruption !== null && interruption.by !== MAX_TIME;
  const ended = unawaited !== null ? LIMITED : isComplete(found) ? 0 : 1;
  const exitCode = isSignal ? exitCodeOf(interruption.by) : ended;
  const summary = summarize(conclusion, found, exitCode, (performance.now() - start) / 1000);
  const state = interruption === null && unawaited === null && !isPartial ? 'ended' : 'interrupted';
  const recommendations = recommend({
    ...found,
    comparison,
    run: { ...found.run, state, executionSummary: summary },
  });
  const end = { runId, at: new Date().toISOString(), state, summary, recommendations } as const;
  const result = { ...found, run: runAtEnd(found.run, end) };
  const source = documentOf(conclusion.database.connection, { result, comparison });
  // Made before anything is locked, so that no other run waits for it.
  const texts = renderReports(source, paths.reports, conclusion.withPage);
  let report: Attempted = NOT_ATTEMPTED;
  recorder.finish(end, () => {
    report = writeReports(texts, paths.reports, runId);
  });
  if (report.bug !== null) throw report.bug;
  const recordProblem = missingSentence(result, paths.database);
  return {
    runId,
    exitCode: report.problem === null && recordProblem === null ? exitCode : 3,
    consolidated: result,
    comparison,
    reportPath: report.report,
    pagePath: report.page,
    reportProblem: report.problem,
    recordProblem,
    databasePath: paths.database,
  };
}

/** A run as it is read once its end is written. */
const runAtEnd = (run: RunSummary, { at, state, summary, recommendations }: RunEnd): RunSummary => ({
  ...run,
  state,
  endedAt: at,
  executionSummary: summary,
  recommendations,
});

/** Every workstream has its row at the end of a run, unless others deleted some. */
function missingSentence({ run }: ConsolidatedResult, database: string): string | null {
  const { workstreams, completed, failed, skipped } = run.totals;
  const there = completed + failed + skipped;
  if (there >= workstreams) return null;
  return `The database ${database} has ${there} of the ${workstreams} results of ${run.runId}: the others were deleted while it was under way.`;
}

/** Which reports are there now. */
interface Attempted {
  report: string | null;
  page: string | null;
  problem: string | null;
  /** What was thrown that is no problem of the disk. */
  bug: Error | null;
}

const NOT_ATTEMPTED: Attempted = { report: null, page: null, problem: null, bug: null };

/** The text of each form, or what was thrown instead; null for a form that is not wanted. */
interface Texts {
  md: string | Error;
  html: string | Error | null;
}

function renderReports(source: DocumentSource, folder: string, withPage: boolean): Texts {
  const rendered = (render: () => string): string | Error => {
    try {
      return render();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  return {
    md: rendered(() => markdownReport(source.head, { folder })),
    html: withPage ? rendered(() => htmlPage(source, folder)) : null,
  };
}

/** Where one can't be written, the other may. */
function writeReports({ md, html }: Texts, folder: string, runId: string): Attempted {
  const attempted = { ...NOT_ATTEMPTED };
  const attempt = (form: ReportFile, text: string | Error): string | null => {
    try {
      if (text instanceof Error) throw text;
      return writeReport(folder, runId, form, text);
    } catch (error) {
      if (error instanceof ReportError) attempted.problem ??= error.message;
      else attempted.bug ??= error instanceof Error ? error : new Error(String(error));
      return null;
    }
  };
  attempted.report = attempt('md', md);
  if (html !== null) attempted.page = attempt('html', html);
  else removePage(folder, runId);
  return attempted;
}

function consolidated({ database, runId, paths }: Conclusion): ConsolidatedResult {
  settlePatterns(database.connection, runId);
  const read = (): ConsolidatedResult => {
    const result = consolidate(database.connection, runId, paths.database);
    if (result === null) throw storeError('run-deleted', paths.database, runId);
    return result;
  };
  const result = read();
  return correctTotals(database.connection, result.run) ? read() : result;
}

/** Work that breaks tests, or that git could not merge, is not what was asked for, although each completed by itself. */
const isComplete = ({ run, merges }: ConsolidatedResult): boolean =>
  run.totals.completed === run.totals.workstreams && (merges?.failing ?? 0) === 0;

function summarize(
  conclusion: Conclusion,
  found: ConsolidatedResult,
  exitCode: number,
  consolidateSeconds: number,
): ExecutionSummary {
  return {
    version: 1,
    millrace: packageVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: Math.ceil(usableCores()),
    agentsCount: conclusion.agents,
    scaling: scalingSummary(conclusion.database.connection, conclusion.runId),
    distribution: conclusion.distribution,
    exitCode,
    interruptedBy: conclusion.interruption?.by ?? null,
    waitsForLimit: conclusion.interruption === null ? conclusion.unawaited : null,
    sessions: conclusion.sessions,
    waitedForRuns: conclusion.waitedForRuns,
    speed: conclusion.speed,
    resources: conclusion.resources,
    agents: found.agents,
    tests: found.tests,
    overhead: { storeSeconds: conclusion.recorder.seconds, consolidateSeconds },
  };
}
