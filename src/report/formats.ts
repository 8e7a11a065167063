import { type DocumentSource, jsonDocument } from './document.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { htmlPage } from './page.ts';

/** One form that a run's report has. */
export interface ReportFormat {
  /** As `--format` takes it. */
  name: string;
  description: string;
  /**
   * The report piece by piece, so that a large one need not fit in memory.
   * @param folder of the report, for links from it.
   */
  render(source: DocumentSource, folder: string): Iterable<string>;
}

/** Every format, the default first. A new one is added here. */
export const reportFormats: readonly ReportFormat[] = [
  {
    name: 'md',
    description: 'Markdown, for people',
    render: ({ head }, folder) => [markdownReport(head, { folder })],
  },
  {
    name: 'html',
    description: 'one HTML page, to look at in a browser',
    render: (source, folder) => [htmlPage(source, folder)],
  },
  {
    name: 'json',
    description: 'one JSON document with every result',
    render: jsonDocument,
  },
  {
    name: 'junit',
    description: 'JUnit XML, for CI',
    render: (source) => [junitReport(source.head.run, source.workstreams(), source.patterns())],
  },
];

/** The format of this name; null when there is none. */
export function reportFormat(name: string): ReportFormat | null {
  return reportFormats.find((format) => format.name === name) ?? null;
}
