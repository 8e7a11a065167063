import { join, relative, resolve } from 'node:path';
import { DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { runDocument } from '../../app/run-document.ts';
import type { ConsolidatedResult, RunSummary } from '../../domain/run-record.ts';
import { type ReportSource, reportFormat } from '../../report/formats.ts';
import { ReportError, writeReport } from '../../report/write.ts';
import { consolidate } from '../../store/read/consolidate.ts';
import { readResults } from '../../store/read/results.ts';
import type { Connection } from '../../store/schema/connection.ts';
import type { ReportArguments } from '../commands/report.ts';
import { withRun } from '../history.ts';
import { printText } from '../print.ts';
import { print } from '../standard-output.ts';

/** Writes a run's Markdown report again, or prints the run in the format that was asked for. */
export async function report(argv: ReportArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    const source = sourceOf(connection, run, argv);
    const text = reportFormat(argv.format ?? 'md')?.render(source);
    if (text === undefined) throw new Refusal(2, `There is no report format ${argv.format}.`);
    if (argv.format === undefined)
      await printText(relative('', write(resolve(argv.reports), run.runId, text)));
    else await print(text);
    return 0;
  });
}

/** What the report formats take a stored run from. */
export function sourceOf(
  connection: Connection,
  run: RunSummary,
  { state, reports }: Pick<ReportArguments, 'state' | 'reports'>,
): ReportSource {
  return {
    run: () => run,
    consolidated: () => consolidated(connection, run.runId, state),
    document: () => runDocument(connection, run),
    workstreams: () => readResults(connection, run.runId),
    reportsFolder: resolve(reports),
  };
}

function consolidated(connection: Connection, runId: string, state: string): ConsolidatedResult {
  const result = consolidate(connection, runId, join(state, DATABASE));
  if (result === null) throw new Refusal(4, `There is no run ${runId}.`);
  return result;
}

function write(folder: string, runId: string, text: string): string {
  try {
    return writeReport(folder, runId, text);
  } catch (error) {
    if (error instanceof ReportError) throw new Refusal(3, error.message, error);
    throw error;
  }
}
