/** Documents of pages, made of what a test is about. */
import type { LiveState } from '../../src/domain/dashboard/answers.ts';
import { type PageDocument, type PageWorkstream, PLAIN_WORKSTREAM } from '../../src/domain/page-document.ts';
import type { MergeProblem } from '../../src/domain/tool-record.ts';
import { documentHead } from '../../src/report/document.ts';
import { Run } from '../../src/web/model/run.ts';
import { emptyResult, runSummary } from '../kit/consolidated-result.ts';

/** A completed workstream that took a second, but for what is said. */
export const workstream = (id: string, but: Partial<PageWorkstream> = {}): PageWorkstream => ({
  ...PLAIN_WORKSTREAM,
  id,
  title: id,
  agentId: 'agent-1',
  start: '2026-01-01T00:00:00.000Z',
  end: '2026-01-01T00:00:01.000Z',
  seconds: 1,
  ...but,
});

export const failed = (id: string, reason: string, but: Partial<PageWorkstream> = {}): PageWorkstream =>
  workstream(id, { status: 'failed', reason, explanation: `${reason} happened.`, ...but });

export const skippedFor = (id: string, dependency: string): PageWorkstream =>
  workstream(id, {
    status: 'skipped',
    reason: 'dependency-failed',
    explanation: `It needs "${dependency}".`,
    dependsOn: [dependency],
    start: null,
    end: null,
    seconds: null,
    attemptCount: 0,
    agentId: 'coordinator',
  });

type Head = Partial<Omit<PageDocument['head'], 'run'>> & { run?: Partial<PageDocument['head']['run']> };

/** A run that ended with these workstreams; its totals are theirs. */
export function runOf(workstreams: readonly PageWorkstream[], head: Head = {}): Run {
  const of = (status: PageWorkstream['status']): number =>
    workstreams.filter((each) => each.status === status).length;
  const totals = {
    ...runSummary().totals,
    workstreams: workstreams.length,
    completed: of('completed'),
    failed: of('failed'),
    skipped: of('skipped'),
  };
  const { run, ...lists } = head;
  const result = emptyResult({ run: runSummary({ createdAt: '2026-01-01T00:00:00.000Z', totals, ...run }) });
  const base = documentHead(result, null);
  const document: PageDocument = {
    version: 1,
    head: { ...base, ...lists, errorPatterns: lists.errors?.length ?? 0 },
    workstreams: [...workstreams],
    omitted: null,
    aggregates: null,
    paths: { database: result.database, markdown: 'report.md' },
  };
  return new Run(document);
}

/** Of a run under way in which nothing has ended, and nothing is executed. */
export const LIVE: LiveState = {
  now: '2026-01-01T00:10:00.000Z',
  startedAt: '2026-01-01T00:00:00.000Z',
  ended: 0,
  completed: 0,
  failed: 0,
  skipped: 0,
  total: 24,
  running: [],
  waiting: 0,
  parked: [],
  estimate: null,
  canAct: true,
};

/** The work of `b`, which conflicts with that of `a`. */
export const CONFLICT: MergeProblem = {
  workstreamId: 'b',
  status: 'conflict',
  branch: 'millrace/run/b',
  conflictsWith: ['a'],
  files: ['x.ts'],
  detail: '',
  partner: null,
  failingTest: null,
  logFile: null,
};
