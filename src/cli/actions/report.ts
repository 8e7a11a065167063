import { join, relative, resolve } from 'node:path';
import { DATABASE } from '../../app/paths.ts';
import { Refusal } from '../../app/refusal.ts';
import { storedDocument } from '../../app/run-document.ts';
import type { DocumentSource } from '../../report/document.ts';
import { reportFormat } from '../../report/formats.ts';
import { ReportError, type ReportFile, writeReport } from '../../report/write.ts';
import { type Connection, keepFewPages } from '../../store/schema/connection.ts';
import type { ReportArguments } from '../commands/report.ts';
import { withRun } from '../history.ts';
import { openProblem } from '../open-page.ts';
import { printText } from '../print.ts';
import { printEach } from '../standard-output.ts';
import { UsageError } from '../usage-error.ts';

/** Writes the reports of a run again, or prints the run in the format that was asked for. */
export async function report(argv: ReportArguments): Promise<number> {
  if (argv.open && argv.format !== undefined)
    throw new UsageError('--open opens the page, and --format prints: use one of them.');
  return withRun(argv.state, argv.run, async (connection, { runId }) => {
    const folder = resolve(argv.reports);
    const source = documentOfRun(connection, runId, argv.state);
    if (argv.format !== undefined) {
      await printEach(rendered(source, argv.format, folder));
      return 0;
    }
    const [report, page] = (['md', 'html'] as const).map((form) => write(source, folder, form));
    await printText([report, page].map((path) => relative('', path ?? '')).join('\n'));
    if (argv.open && page !== undefined) await openPage(page);
    return 0;
  });
}

/** @throws Refusal with exit code 4 where the run was removed just now. */
export function documentOfRun(connection: Connection, runId: string, state: string): DocumentSource {
  keepFewPages(connection);
  const source = storedDocument(connection, runId, join(state, DATABASE));
  if (source === null) throw new Refusal(4, `There is no run ${runId}.`);
  return source;
}

function rendered(source: DocumentSource, name: string, folder: string): Iterable<string> {
  const format = reportFormat(name);
  if (format === null) throw new Refusal(2, `There is no report format ${name}.`);
  return format.render(source, folder);
}

function write(source: DocumentSource, folder: string, form: ReportFile): string {
  try {
    return writeReport(folder, source.head.run.runId, form, [...rendered(source, form, folder)].join(''));
  } catch (error) {
    if (error instanceof ReportError) throw new Refusal(3, error.message, error);
    throw error;
  }
}

/** @throws Refusal with exit code 3 where no program opens it. */
async function openPage(page: string): Promise<void> {
  const problem = await openProblem(page);
  if (problem !== null)
    throw new Refusal(
      3,
      `The page could not be opened: ${problem}. Open ${relative('', page)} in a browser.`,
    );
}
