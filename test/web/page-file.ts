/** Writes the page of a run whose results a test says. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { RunDocumentHead } from '../../src/domain/run-record.ts';
import { documentHead } from '../../src/report/document.ts';
import { htmlPage } from '../../src/report/page.ts';
import { completedResult, type ResultFields } from '../kit/completed-result.ts';
import { agent, emptyResult, errorPattern, runSummary } from '../kit/consolidated-result.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** A result whose execution began so many seconds after the run. */
export function resultAt(id: string, seconds: number, but: ResultFields = {}): AgentResult {
  const time = (at: number): string => new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString();
  return completedResult(id, { startTime: time(seconds), endTime: time(seconds + 1), ...but });
}

const MISSING = 'p-0000000a';

/** A failure with the error `MISSING`. */
export const missingModule = (id: string, seconds: number, agentId = 'agent-1'): AgentResult =>
  resultAt(id, seconds, {
    agentId,
    status: 'failed',
    reason: 'exit-non-zero',
    explanation: '`npm test` ended with exit code 1.',
    metadata: { tail: "> test\nError: Cannot find module 'express'\n" },
    pattern: 'Cannot find module <*>',
  });

/** Path of the page of a run with these results. */
export function pageFile(results: readonly AgentResult[], head: Partial<RunDocumentHead> = {}): string {
  const of = (status: AgentResult['status']): number =>
    results.filter((each) => each.status === status).length;
  const failures = results.filter(({ pattern }) => pattern !== null).map(({ workstreamId }) => workstreamId);
  const totals = {
    ...runSummary().totals,
    workstreams: results.length,
    completed: of('completed'),
    failed: of('failed'),
    skipped: of('skipped'),
  };
  const result = emptyResult({
    run: runSummary({ runId: 'ma-run-20260101-000000', createdAt: '2026-01-01T00:00:00.000Z', totals }),
    agents: [...new Set(results.map(({ agentId }) => agentId))].map((agentId) => agent(agentId)),
  });
  const error = errorPattern({
    id: MISSING,
    type: 'exit-non-zero',
    pattern: 'Cannot find module <*>',
    telling: "Error: Cannot find module 'express'",
    count: failures.length,
    workstreams: failures.slice(0, 20),
  });
  const errors = failures.length === 0 ? [] : [error];
  const folder = temporaryFolder();
  const file = join(folder, 'page.html');
  const whole = { ...documentHead(result, null), errors, errorPatterns: errors.length, ...head };
  const source = {
    head: whole,
    workstreams: () => results,
    pageResults: () => ({ results: [...results], aggregates: null }),
    workstreamTexts: () => [],
    patterns: () => new Map(failures.map((id) => [id, { id: MISSING, template: error.pattern }])),
  };
  writeFileSync(file, htmlPage(source, folder));
  return file;
}
