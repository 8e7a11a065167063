import type { RunDocumentHead } from '../domain/run-record.ts';
import { type Block, code, glue, heading } from './nodes.ts';
import type { ReportPlace } from './output-view.ts';
import { agents } from './sections/agents.ts';
import { attempts, competitions } from './sections/attempts.ts';
import { errors } from './sections/errors.ts';
import { executiveSummary } from './sections/executive-summary.ts';
import { failures } from './sections/failures.ts';
import { files } from './sections/files.ts';
import { merges } from './sections/merges.ts';
import { outputs } from './sections/outputs.ts';
import { recommendations, warnings } from './sections/recommendations.ts';
import { scaling } from './sections/scaling.ts';
import { tests } from './sections/tests.ts';
import { timeline } from './sections/timeline.ts';
import { tools } from './sections/tools.ts';
import { serialise } from './serialise.ts';

/** Each returns its blocks, or none when it has nothing to show. In the order of the report. */
const SECTIONS: ((result: RunDocumentHead, place: ReportPlace) => Block[])[] = [
  executiveSummary,
  failures,
  agents,
  scaling,
  tools,
  competitions,
  attempts,
  errors,
  warnings,
  tests,
  files,
  merges,
  outputs,
  recommendations,
  timeline,
];

/**
 * The report of a run as Markdown with GitHub's tables. Text from workstreams can't break out of its cell, line or
 * fence, and every list is bounded, so that the report of any run can be opened.
 */
export function markdownReport(result: RunDocumentHead, place: ReportPlace = { folder: 'reports' }): string {
  return serialise([
    heading(1, glue('Run '), code(result.run.runId)),
    ...SECTIONS.flatMap((section) => section(result, place)),
  ]);
}
