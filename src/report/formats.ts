import type { AgentResult } from '../domain/agent-result.ts';
import type { ConsolidatedResult, RunDocument, RunSummary } from '../domain/run-record.ts';
import { printableJson } from '../text/printable.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';

/** What a format may show; each part is read only when it is needed. */
export interface ReportSource {
  run(): RunSummary;
  consolidated(): ConsolidatedResult;
  document(): RunDocument;
  workstreams(): Iterable<AgentResult>;
  /** The reports folder, for links to images in it. */
  readonly reportsFolder: string;
}

/** One form that a run's report has. */
export interface ReportFormat {
  /** As `--format` takes it. */
  name: string;
  description: string;
  render(source: ReportSource): string;
}

/** Every format, the default first. A new one is added here. */
export const reportFormats: readonly ReportFormat[] = [
  {
    name: 'md',
    description: 'Markdown, for people',
    render: (source) => markdownReport(source.consolidated(), { folder: source.reportsFolder }),
  },
  {
    name: 'json',
    description: 'one JSON document with every result',
    render: (source) => printableJson(source.document()),
  },
  {
    name: 'junit',
    description: 'JUnit XML, for CI',
    render: (source) => junitReport(source.run(), source.workstreams()),
  },
];

/** The format of this name; null when there is none. */
export function reportFormat(name: string): ReportFormat | null {
  return reportFormats.find((format) => format.name === name) ?? null;
}
