import type { RunDocumentHead } from '../domain/run-record.ts';
import { type Block, code, glue, heading } from './nodes.ts';
import type { ReportPlace } from './output-view.ts';
import { agents } from './sections/agents.ts';
import { attention } from './sections/attention.ts';
import { comparison } from './sections/comparison.ts';
import { done } from './sections/done.ts';
import { figures, speed } from './sections/figures.ts';
import { files, warnings } from './sections/files.ts';
import { opening } from './sections/opening.ts';
import { resources } from './sections/resources.ts';
import { tests } from './sections/tests.ts';
import { timeline } from './sections/timeline.ts';
import { serialise } from './serialise.ts';

/** In the order of a reader's questions. Each returns its blocks, or none when it has nothing to show. */
const SECTIONS: ((head: RunDocumentHead, place: ReportPlace) => Block[])[] = [
  opening,
  attention,
  done,
  comparison,
  tests,
  warnings,
  files,
  timeline,
  agents,
  resources,
  speed,
  figures,
];

/**
 * The report of a run as Markdown with GitHub's tables, from the head of its document and nothing else. Text from
 * workstreams can't break out of its cell, line or fence, and every list is bounded, so that the report of any run can be
 * opened.
 */
export function markdownReport(head: RunDocumentHead, place: ReportPlace = { folder: 'reports' }): string {
  return serialise([
    heading(1, glue('Run '), code(head.run.runId)),
    ...SECTIONS.flatMap((section) => section(head, place)),
  ]);
}
