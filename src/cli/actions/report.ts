import { join, relative, resolve } from 'node:path';
import { DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { storedDocument } from '../../app/run-document.ts';
import type { DocumentSource } from '../../report/document.ts';
import { reportFormat } from '../../report/formats.ts';
import { ReportError, writeReport } from '../../report/write.ts';
import type { Connection } from '../../store/schema/connection.ts';
import type { ReportArguments } from '../commands/report.ts';
import { withRun } from '../history.ts';
import { printText } from '../print.ts';
import { printEach } from '../standard-output.ts';

/** Writes a run's Markdown report again, or prints the run in the format that was asked for. */
export async function report(argv: ReportArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, { runId }) => {
    const format = reportFormat(argv.format ?? 'md');
    if (format === null) throw new Refusal(2, `There is no report format ${argv.format}.`);
    const folder = resolve(argv.reports);
    const texts = format.render(documentOfRun(connection, runId, argv.state), folder);
    if (argv.format !== undefined) await printEach(texts);
    else await printText(relative('', write(folder, runId, [...texts].join(''))));
    return 0;
  });
}

/** @throws Refusal with exit code 4 where the run was removed just now. */
export function documentOfRun(connection: Connection, runId: string, state: string): DocumentSource {
  const source = storedDocument(connection, runId, join(state, DATABASE));
  if (source === null) throw new Refusal(4, `There is no run ${runId}.`);
  return source;
}

function write(folder: string, runId: string, text: string): string {
  try {
    return writeReport(folder, runId, text);
  } catch (error) {
    if (error instanceof ReportError) throw new Refusal(3, error.message, error);
    throw error;
  }
}
