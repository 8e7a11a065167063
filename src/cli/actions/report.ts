import { relative, resolve } from 'node:path';
import { Refusal } from '../../app/refusal.ts';
import { runDocument } from '../../app/run-document.ts';
import type { ConsolidatedResult, RunSummary } from '../../domain/run-record.ts';
import { type ReportSource, reportFormat } from '../../report/formats.ts';
import { ReportError, writeReport } from '../../report/write.ts';
import type { History } from '../../store/read/history.ts';
import type { ReportArguments } from '../commands/report.ts';
import { withRun } from '../history.ts';
import { printText } from '../print.ts';
import { print } from '../standard-output.ts';

/** Writes a run's Markdown report again, or prints the run in the format that was asked for. */
export async function report(argv: ReportArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (history, run) => {
    const text = reportFormat(argv.format ?? 'md')?.render(sourceOf(history, run, resolve(argv.reports)));
    if (text === undefined) throw new Refusal(2, `There is no report format ${argv.format}.`);
    if (argv.format === undefined)
      await printText(relative('', write(resolve(argv.reports), run.runId, text)));
    else await print(text);
    return 0;
  });
}

/** What the report formats take a stored run from. */
export function sourceOf(history: History, run: RunSummary, reportsFolder: string): ReportSource {
  return {
    run: () => run,
    consolidated: () => consolidated(history, run.runId),
    document: () => runDocument(history, run),
    workstreams: () => history.results(run.runId),
    reportsFolder,
  };
}

function consolidated(history: History, runId: string): ConsolidatedResult {
  const result = history.consolidate(runId);
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
