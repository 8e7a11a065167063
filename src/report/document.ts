/** The document of a run: what it is made of, and how it is written as JSON. */
import type { AgentResult } from '../domain/agent-result.ts';
import type { RunComparison } from '../domain/history/history.ts';
import type { PageResults } from '../domain/page-document.ts';
import type { ConsolidatedResult, RunDocumentHead } from '../domain/run-record.ts';
import { escapeControls } from '../text/printable.ts';

/** A stored run as every form of a report takes it. Its workstreams are read while they are used, any number of them. */
export interface DocumentSource {
  readonly head: RunDocumentHead;
  workstreams(): Iterable<AgentResult>;
  /** The same, each as JSON on one line. */
  workstreamTexts(): Iterable<string>;
  /** The patterns of what failed, by workstream id. */
  patterns(): ReadonlyMap<string, FailurePattern>;
  /** All that a page may show: of more than `most` the failures, as far as there is room, and the longest. */
  pageResults(most: number): PageResults;
}

/** The pattern of a workstream's failure. */
export interface FailurePattern {
  /** The same for as long as there are errors of it. */
  id: string;
  /** What its errors have in common so far. */
  template: string;
}

/** The head of a run's document. */
export function documentHead(
  { patterns, ...rest }: ConsolidatedResult,
  comparison: RunComparison | null,
): RunDocumentHead {
  const { run, agents, ...lists } = rest;
  return {
    version: 1,
    run,
    agents,
    errors: patterns.shown,
    errorPatterns: patterns.total,
    recommendations: run.recommendations,
    comparison,
    ...lists,
  };
}

/**
 * The document as JSON, piece by piece: first the head, indented, then the workstreams, one on each line. No terminal
 * acts on it, and none of it is shortened.
 */
export function* jsonDocument(source: DocumentSource): Generator<string, void, undefined> {
  const head = escapeControls(JSON.stringify(source.head, null, 2));
  yield `${head.slice(0, head.lastIndexOf('\n}'))},\n  "workstreams": [`;
  let separator = '';
  for (const text of source.workstreamTexts()) {
    yield `${separator}\n    ${escapeControls(text)}`;
    separator = ',';
  }
  yield separator === '' ? ']\n}\n' : '\n  ]\n}\n';
}
