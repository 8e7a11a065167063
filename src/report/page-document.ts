/** The document of a page: what a page shows of a run, bounded whatever the run was. */
import { isAbsolute, normalize, relative, resolve, sep } from 'node:path';
import type { AgentResult } from '../domain/agent-result.ts';
import type { AttemptRecord } from '../domain/attempt.ts';
import type { TestResult } from '../domain/outcome.ts';
import type {
  PackedDocument,
  PackedWorkstream,
  PageAggregates,
  PageAttempt,
  PageReview,
  PageTest,
  PageWorkstream,
  PlainText,
} from '../domain/page-document.ts';
import { PLAIN_WORKSTREAM } from '../domain/page-document.ts';
import type { ReviewRecord } from '../domain/policy/review.ts';
import type { RunDocumentHead } from '../domain/run-record.ts';
import { spendingOf, sumKnown } from '../domain/tool-report.ts';
import { firstOf, shortened } from '../text/cut-text.ts';
import { oneLine, printable } from '../text/printable.ts';
import { excerpt } from './cells.ts';
import type { DocumentSource } from './document.ts';
import { abridged } from './output-view.ts';
import { select } from './query.ts';
import { reportFileName } from './write.ts';

/** How much a page may hold. */
export interface PageLimits {
  /** Workstreams. */
  rows: number;
  /** Elements of any list. */
  items: number;
  /** Characters of a text of one line, and of one of several lines. */
  line: number;
  block: number;
  /** Characters of all texts of several lines together, in the order of the results. */
  details: number;
}

const PAGE_LIMITS: PageLimits = {
  rows: 10_000,
  items: 200,
  line: 600,
  block: 4_096,
  details: 4_000_000,
};

/** Limits for a share of the room. What rows hold is cut before rows are left out. */
export const limitsFor = (share: number): PageLimits => ({
  rows: Math.floor(PAGE_LIMITS.rows * Math.min(1, share * 8)),
  items: Math.ceil(PAGE_LIMITS.items * share),
  line: Math.ceil(PAGE_LIMITS.line * Math.max(share, 1 / 8)),
  block: Math.ceil(PAGE_LIMITS.block * share),
  details: Math.floor(PAGE_LIMITS.details * share),
});

/** Where a page is: what the address of a log is there, null for no link. */
export type LogAddress = (log: { file: string; runId: string; workstreamId: string }) => string | null;

/** Addresses relative to a file in this folder. A path that a workstream made up, to any other file, is no link. */
export const relativeTo =
  (folder: string): LogAddress =>
  ({ file, runId }) => {
    const parts = normalize(file).split(sep);
    if (parts.at(-2) !== runId || parts.at(-3) !== 'logs') return null;
    const path = relative(folder, resolve(file));
    return isAbsolute(path) ? null : path.split(sep).map(encodeURIComponent).join('/');
  };

/**
 * The document of a page as JSON, piece by piece: a `PackedDocument`, of which the workstreams come first.
 * @param limits of each part. Nothing limits all of them together: the caller may stop at any piece.
 */
export function* pageDocument(
  source: DocumentSource,
  addressOf: LogAddress,
  limits: PageLimits,
): Generator<string, void, undefined> {
  const { results, aggregates } = source.pageResults(limits.rows);
  const patterns = source.patterns();
  const packer = new PagePacker({
    addressOf,
    runId: source.head.run.runId,
    patternOf: (id) => patterns.get(id)?.id ?? null,
    limits,
  });
  let count = 0;
  for (const result of results) {
    yield (count === 0 ? '{"workstreams":[' : ',') + packer.pack(result);
    count += 1;
  }
  const head = pageHead(source.head, { limits, shown: count, aggregates });
  yield `${count === 0 ? '{"workstreams":[' : ''}],${JSON.stringify(head).slice(1)}`;
}

/**
 * The document of a page but for its workstreams.
 * @param page.shown how many workstreams the page has.
 */
export function pageHead(
  whole: RunDocumentHead,
  { limits, shown, aggregates }: { limits: PageLimits; shown: number; aggregates: PageAggregates | null },
): Omit<PackedDocument, 'workstreams'> {
  const { timeline: _, failures: __, skipped: ___, outputs: ____, ...head } = whole;
  const { run, database } = head;
  const omitted = run.totals.completed + run.totals.failed + run.totals.skipped - shown;
  return {
    version: 1,
    head: bounded(head, limits),
    omitted:
      omitted <= 0 ? null : { workstreams: omitted, why: OMITTED, command: listing(database, run.runId) },
    aggregates: bounded(aggregates, { ...limits, items: Number.POSITIVE_INFINITY }),
    paths: { database, markdown: reportFileName(run.runId, 'md') },
  };
}

const OMITTED = 'This page has the failures, as far as there is room for them, and the longest.';

const listing = (database: string, runId: string): string =>
  select(database, runId, 'workstream_id, status, reason, duration_seconds', 'agent_results');

/** Texts and lists within limits, printable, in the same structure. */
function bounded<T>(value: T, limits: PageLimits): T;
function bounded(value: unknown, limits: PageLimits): unknown {
  if (typeof value === 'string') return shortened(printable(firstOf(value, limits.block * 2)), limits.block);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, limits.items).map((item) => bounded(item, limits));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, limits.items)
      .map(([key, item]) => [oneLine(key, limits.line), bounded(item, limits)]),
  );
}

/** What results are packed for. */
interface PackedFor {
  runId: string;
  addressOf: LogAddress;
  /** The id of the pattern that a workstream failed with; null for none. */
  patternOf: (workstreamId: string) => string | null;
  limits: PageLimits;
}

/** Makes results short. Texts of several lines are kept as long as there is room for all of them together. */
export class PagePacker {
  readonly #for: PackedFor;
  readonly #limits: PageLimits;
  #room: number;

  constructor(packedFor: PackedFor) {
    this.#for = packedFor;
    this.#limits = packedFor.limits;
    this.#room = packedFor.limits.details;
  }

  /** JSON of a `PackedWorkstream`. */
  pack(result: AgentResult | PlainText): string {
    return typeof result === 'string'
      ? this.#plain(result)
      : JSON.stringify(withoutPlain(this.#whole(result)));
  }

  /** Of these there are many, and in most of them nothing is to be changed. */
  #plain(text: PlainText): string {
    if (text.length <= this.#limits.line && isShownAsItIs(text)) return text;
    const { id, title, kind, dependsOn, file, agentId, ...rest }: PackedWorkstream = JSON.parse(text);
    const lines = Object.entries({ id, title, kind, file, agentId });
    const short = lines.flatMap(([name, line]) =>
      typeof line === 'string' ? [[name, this.#line(line)]] : [],
    );
    const needs = dependsOn === undefined ? {} : { dependsOn: this.#lines(dependsOn) };
    return JSON.stringify({ ...Object.fromEntries(short), ...needs, ...rest });
  }

  #whole(result: AgentResult): PageWorkstream {
    const { metadata, testResults } = result;
    const { changes, tools } = metadata;
    const tool = tools.at(-1);
    return {
      id: this.#line(result.workstreamId),
      title: this.#line(metadata.title),
      kind: this.#lineOrNull(metadata.kind),
      file: this.#line(metadata.file),
      status: result.status,
      reason: result.reason,
      explanation: this.#start(result.explanation),
      patternId: this.#for.patternOf(result.workstreamId),
      agentId: this.#line(result.agentId),
      tool: this.#lineOrNull(tool?.tool ?? null),
      model: this.#lineOrNull(tool?.model ?? null),
      start: result.startTime,
      end: result.endTime,
      seconds: microseconds(result.durationSeconds),
      cpuSeconds: microseconds(result.cpuSeconds),
      cpuWaitSeconds: microseconds(result.cpuWaitSeconds),
      attemptCount: result.attempts,
      earlierAttempts: this.#some(metadata.earlierAttempts).map((each) => this.#attempt(each)),
      dependsOn: this.#lines((metadata.constraints?.dependsOn ?? []).map(({ id }) => id)),
      steps: this.#some(metadata.steps).map((step) => ({
        id: this.#line(step.id),
        kind: this.#line(step.kind),
        status: step.status,
        seconds: microseconds(step.duration_seconds) ?? 0,
        exitCode: step.exit_code,
      })),
      files: this.#lines(result.filesModified),
      filesTotal: result.filesModified.length,
      commits: this.#lines(result.commitsCreated),
      commitsTotal: result.commitsCreated.length,
      warnings: this.#lines(result.warnings),
      warningsTotal: result.warnings.length,
      tests: this.#some(testResults.tests).map((test) => this.#test(test)),
      testsTotal: testResults.tests.length,
      tail: this.#end(metadata.tail),
      stack: this.#start(result.stack),
      log: this.#logAddress(result),
      logPath: this.#lineOrNull(result.logFile),
      output: this.#output(metadata.output),
      metrics: bounded(metadata.metrics, this.#limits),
      base: this.#lineOrNull(metadata.base),
      matrix: bounded(metadata.matrix, this.#limits),
      series: this.#series(metadata.series),
      made: this.#some(metadata.outputs).map((file) => bounded(file, this.#limits)),
      madeTotal: metadata.outputs.length,
      usage: result.usage,
      fromRun: this.#lineOrNull(result.fromRun),
      cost: sumKnown([
        spendingOf(tools).costUsd,
        ...[...metadata.earlierAttempts, ...metadata.reviews].map(({ costUsd }) => costUsd),
      ]),
      claim: this.#end(tool?.text ?? null),
      changes: changes === null ? null : linesOf(changes.files),
      branch: this.#lineOrNull(changes?.branch ?? null),
      merge: metadata.merge?.status ?? null,
      reviews: this.#some(metadata.reviews).map((each) => this.#review(each)),
    };
  }

  #logAddress({ logFile: file, workstreamId }: AgentResult): string | null {
    const { addressOf, runId } = this.#for;
    return file === null ? null : addressOf({ file, runId, workstreamId });
  }

  #review({
    attempt,
    tool,
    model,
    verdict,
    noVerdict,
    blocks,
    findings,
    found,
    ...rest
  }: ReviewRecord): PageReview {
    return {
      attempt,
      tool: this.#line(tool),
      model: this.#lineOrNull(model),
      verdict,
      noVerdict: this.#lineOrNull(noVerdict),
      blocks,
      findings: this.#some(findings).map((finding) => ({
        ...finding,
        file: this.#lineOrNull(finding.file),
        text: this.#start(finding.text) ?? '',
      })),
      found,
      cost: rest.costUsd,
      text: this.#end(rest.text),
    };
  }

  #attempt(attempt: AttemptRecord): PageAttempt {
    return {
      attempt: attempt.attempt,
      agentId: this.#line(attempt.agentId),
      tool: this.#lineOrNull(attempt.tool),
      model: this.#lineOrNull(attempt.model),
      start: attempt.startTime,
      seconds: attempt.durationSeconds,
      reason: this.#lineOrNull(attempt.reason),
      explanation: this.#start(attempt.explanation),
      cost: attempt.costUsd,
    };
  }

  #test({ name, status, durationSeconds, detail, counts }: TestResult): PageTest {
    return {
      name: this.#line(name),
      status,
      seconds: durationSeconds,
      detail: this.#start(detail) ?? '',
      counts,
    };
  }

  #series(series: PageWorkstream['series']): PageWorkstream['series'] {
    const short = this.#some(Object.entries(series)).map(([name, { points, total }]) => [
      this.#line(name),
      { points: thinned(points, this.#limits.items), total },
    ]);
    return this.#take(JSON.stringify(short).length) ? Object.fromEntries(short) : {};
  }

  /** An output of any size, abridged. */
  #output(output: PageWorkstream['output']): PageWorkstream['output'] {
    if (output === null) return null;
    const short = bounded(abridged(output, this.#limits.line), this.#limits);
    return this.#take(JSON.stringify(short).length) ? short : null;
  }

  #start = (text: string | null): string | null => this.#block(text, 'start');
  #end = (text: string | null): string | null => this.#block(text, 'end');

  #block(text: string | null, keep: 'start' | 'end'): string | null {
    if (text === null) return null;
    const short = excerpt(text, this.#limits.block, keep);
    return this.#take(short.length) ? short : null;
  }

  #take(characters: number): boolean {
    if (characters > this.#room) return false;
    this.#room -= characters;
    return true;
  }

  #some = <T>(list: readonly T[]): T[] => list.slice(0, this.#limits.items);
  #line = (text: string): string => oneLine(text, this.#limits.line);
  #lineOrNull = (text: string | null): string | null => (text === null ? null : this.#line(text));
  #lines = (texts: readonly string[]): string[] => this.#some(texts).map(this.#line);
}

/** As many as there may be, at equal distances, with the first and the last. */
function thinned<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / Math.max(1, most - 1);
  return Array.from({ length: most }, (_, index) => points[Math.round(index * step)]).flatMap((point) =>
    point === undefined ? [] : [point],
  );
}

/** Whether JSON of one line has no text that `oneLine` would change. It has no spaces between its parts. */
const isShownAsItIs = (json: string): boolean => SHOWN.test(json) && !CHANGED.test(json);

const SHOWN = /^[ !"#-[\]-~]*$/;
const CHANGED = /::|##| {2}|" | "/;

/** Seconds without digits that nobody measured, and which take a third of a large page. */
const microseconds = (seconds: number | null): number | null =>
  seconds === null ? null : Math.round(seconds * 1e6) / 1e6;

/** Without what is as in `PLAIN_WORKSTREAM`. */
function withoutPlain(whole: PageWorkstream): PackedWorkstream {
  const { id, title, ...rest } = whole;
  const plain = new Map<string, unknown>(Object.entries(PLAIN_WORKSTREAM));
  const fields = Object.entries(rest).filter(([name, value]) => !isSame(value, plain.get(name)));
  return { id, ...(title === id ? {} : { title }), ...Object.fromEntries(fields) };
}

const isSame = (value: unknown, plain: unknown): boolean =>
  value === plain || (isEmpty(value) && isEmpty(plain));

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** How many files changed, and lines as far as they are known. */
function linesOf(files: NonNullable<AgentResult['metadata']['changes']>['files']): PageWorkstream['changes'] {
  return {
    files: files.length,
    linesAdded: sumKnown(files.map(({ linesAdded }) => linesAdded)),
    linesRemoved: sumKnown(files.map(({ linesRemoved }) => linesRemoved)),
  };
}
