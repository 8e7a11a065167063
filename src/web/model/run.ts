/** A run as the page looks at it: the document with what is found out about it once and used in many places. */

import type { LiveState } from '../../domain/dashboard/answers.ts';
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { isLeft, type PageDocument, type PageLoad, type PageWorkstream } from '../../domain/page-document.ts';
import { FALSE_SUCCESSES } from '../../domain/tool.ts';

/**
 * How a workstream ended, as a person distinguishes it: `odd` for a false success, whose tool said that it was done;
 * `conflict` for work that can't be merged; `wait` for a tool that is out of quota.
 */
export type EndMark = 'completed' | 'retried' | 'failed' | 'odd' | 'conflict' | 'wait' | 'skipped';

/** The same of one that may be under way. */
export type WorkMark = EndMark | 'running';

/** In the order of what needs a person most. */
export const MARKS: readonly EndMark[] = [
  'failed',
  'odd',
  'conflict',
  'wait',
  'skipped',
  'retried',
  'completed',
];

export const MARK_WORDS: Record<WorkMark, string> = {
  running: 'running',
  completed: 'completed',
  retried: 'completed',
  failed: 'failed',
  odd: 'false success',
  conflict: 'conflict',
  wait: 'out of quota',
  skipped: 'skipped',
};

const FALSE: ReadonlySet<string> = new Set(FALSE_SUCCESSES);

export function markOf({ status, reason, merge, attemptCount }: PageWorkstream): EndMark {
  if (status === 'skipped') return 'skipped';
  if (status === 'completed') {
    if (merge === 'conflict' || merge === 'breaks-tests' || merge === 'failed') return 'conflict';
    return attemptCount > 1 ? 'retried' : 'completed';
  }
  if (reason === null) return 'failed';
  if (FALSE.has(reason)) return 'odd';
  if (reason === 'merge-conflict') return 'conflict';
  return reason === 'tool-quota' ? 'wait' : 'failed';
}

/** Whether a person has to look at it. */
export const isBad = (mark: WorkMark): boolean =>
  mark === 'failed' || mark === 'odd' || mark === 'conflict' || mark === 'wait';

/** Whether a workstream completed whose work is left on its branch. */
export const isLeftWork = ({ status, merge }: PageWorkstream): boolean =>
  status === 'completed' && isLeft(merge);

/** Whether a person has to look at a workstream: it failed, or its work is not merged. */
export const needsPerson = (workstream: PageWorkstream): boolean =>
  isBad(markOf(workstream)) || isLeftWork(workstream);

/** The workstreams that need a person, in the order of their results. */
export const needingIn = (run: Run): PageWorkstream[] => run.workstreams.filter((each) => needsPerson(each));

/**
 * The share of its time in which a workstream computed, 0 to 1; null where that is not known. Of a child process it is not:
 * only the thread of the agent is measured.
 */
export function computedShare({ steps, cpuSeconds, seconds }: PageWorkstream): number | null {
  const inThread = steps.length > 0 && steps.every(({ kind }) => kind === 'module');
  return !inThread || cpuSeconds === null || seconds === null || seconds <= 0
    ? null
    : Math.min(1, cpuSeconds / seconds);
}

/** What the run was for, which decides how its results are shown. */
export type RunKind = 'tasks' | 'sweep' | 'plain';

interface CellCounts {
  total: number;
  completed: number;
  failed: number;
  skipped: number;
}

/** What is found out of all workstreams is found out when it is first asked for, as a page asks for a part of it. */
export class Run {
  readonly document: PageDocument;
  readonly head: PageDocument['head'];
  readonly workstreams: readonly PageWorkstream[];
  /** Members of the longest chain of dependencies, in its order. */
  readonly critical: readonly string[];
  /** What is executed at the moment; null of a run that is not under way. */
  readonly live: LiveState | null;

  constructor(document: PageDocument, live: LiveState | null = null) {
    const { head, workstreams } = document;
    this.document = document;
    this.live = live;
    this.head = head;
    this.workstreams = workstreams;
    this.critical = head.run.executionSummary?.speed.criticalPath ?? [];
  }

  /** The same with these rows, by their ids, in place of those that it has, and what a later head says of merges. */
  withMerged(rows: ReadonlyMap<string, PageWorkstream>, merges: PageDocument['head']['merges']): Run {
    const workstreams = this.workstreams.map((each) => rows.get(each.id) ?? each);
    return new Run({ ...this.document, head: { ...this.head, merges }, workstreams }, this.live);
  }

  get byId(): ReadonlyMap<string, PageWorkstream> {
    return (this.#byId ??= new Map(this.workstreams.map((each) => [each.id, each])));
  }

  /** By their ids, also those of what becomes a part of one, as rows of a run under way have them. */
  get patterns(): ReadonlyMap<string, ErrorPattern> {
    return (this.#patterns ??= new Map(
      this.head.errors.flatMap((each) => [each.id, ...(each.merged ?? [])].map((id) => [id, each])),
    ));
  }

  /** The id of the pattern of a workstream's error; null without one. */
  patternIdOf({ patternId }: PageWorkstream): string | null {
    return patternId === null ? null : (this.patterns.get(patternId)?.id ?? patternId);
  }

  /** Workstreams by the id of the pattern of their error, in the order of their results. */
  get byPattern(): ReadonlyMap<string, readonly PageWorkstream[]> {
    return (this.#byPattern ??= groupedBy(
      this.workstreams.filter(({ patternId }) => patternId !== null),
      (each) => this.patternIdOf(each) ?? '',
    ));
  }

  /** Ids of what depends on a workstream. */
  get dependents(): ReadonlyMap<string, readonly string[]> {
    return (this.#dependents ??= dependentsOf(this.workstreams));
  }

  /** Skipped workstreams by the one whose failure is the cause. */
  get heldBack(): ReadonlyMap<string, readonly string[]> {
    return (this.#heldBack ??= heldBackBy(this.workstreams, this.byId));
  }

  get kind(): RunKind {
    return (this.#kind ??= kindOf(this.document));
  }

  /** How the members of matrices ended; null where the page does not have each workstream. */
  get cells(): CellCounts | null {
    if (this.document.omitted !== null) return null;
    return (this.#cells ??= countCells(this.workstreams));
  }

  /** In the order of their ends, with those that no agent ran last. */
  get byEnd(): readonly PageWorkstream[] {
    return (this.#byEnd ??= inOrderOfEnds(this.workstreams));
  }

  /** Milliseconds since 1970 at which the run began. */
  get startedAt(): number {
    return (this.#startedAt ??= this.workstreams.reduce(
      (least, each) => Math.min(least, timesOf(each).first),
      timeOf(this.head.run.createdAt) ?? Infinity,
    ));
  }

  /** Seconds from there to the last end. */
  get seconds(): number {
    return (this.#seconds ??= Math.max((this.#lastEnd() - this.startedAt) / 1000, this.#endOfLoad()));
  }

  #byId: Map<string, PageWorkstream> | null = null;
  #patterns: Map<string, ErrorPattern> | null = null;
  #byPattern: Map<string, PageWorkstream[]> | null = null;
  #dependents: Map<string, string[]> | null = null;
  #heldBack: Map<string, string[]> | null = null;
  #kind: RunKind | null = null;
  #cells: CellCounts | null = null;
  #byEnd: PageWorkstream[] | null = null;
  #startedAt: number | null = null;
  #seconds: number | null = null;
  #counts: Map<EndMark, number> | null = null;

  #lastEnd(): number {
    return this.workstreams.reduce(
      (most, each) => Math.max(most, timesOf(each).end ?? most),
      Math.max(this.startedAt, timeOf(this.live?.now ?? null) ?? 0),
    );
  }

  /** Seconds from the start to the last bin of the load; 0 where the document has none. */
  #endOfLoad(): number {
    const load = this.document.aggregates?.load ?? null;
    return load === null ? 0 : (this.secondsAt(load.from) ?? 0) + secondsOfLoad(load);
  }

  /** How many workstreams ended so; all of the run where the page has them all. */
  count(...marks: readonly EndMark[]): number {
    const counts = (this.#counts ??= countMarks(this.workstreams));
    return marks.reduce((sum, mark) => sum + (counts.get(mark) ?? 0), 0);
  }

  /** Seconds from the start of the run to a time of its document; null for none. */
  secondsAt(iso: string | null): number | null {
    const time = timeOf(iso);
    return time === null ? null : (time - this.startedAt) / 1000;
  }
}

/** How long the load of a document lasts. */
export const secondsOfLoad = (load: PageLoad): number =>
  load.seconds * load.agents.reduce((most, { busy }) => Math.max(most, busy.length), 0);

/** In milliseconds since 1970; null for none, and for what is no time. */
export const timeOf = (iso: string | null): number | null => {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(time) ? null : time;
};

/** Times of a workstream, in milliseconds since 1970. */
interface Times {
  /** Of each attempt, the last one last. */
  starts: readonly (number | null)[];
  /** The least of them; Infinity for none. */
  first: number;
  end: number | null;
}

/** Kept by the row: to parse times takes longer than all else that is found out of it. */
const known = new WeakMap<PageWorkstream, Times>();

export function timesOf(workstream: PageWorkstream): Times {
  const found = known.get(workstream);
  if (found !== undefined) return found;
  const { start, end, earlierAttempts } = workstream;
  const starts = [...earlierAttempts.map((attempt) => timeOf(attempt.start)), timeOf(start)];
  const first = starts.reduce((least: number, each) => Math.min(least, each ?? Infinity), Infinity);
  const times = { starts, first, end: timeOf(end) };
  known.set(workstream, times);
  return times;
}

/** Workstreams by a key, in their order. */
export function groupedBy(
  workstreams: readonly PageWorkstream[],
  keyOf: (workstream: PageWorkstream) => string,
): Map<string, PageWorkstream[]> {
  const groups = new Map<string, PageWorkstream[]>();
  for (const each of workstreams) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return groups;
}

const inOrderOfEnds = (workstreams: readonly PageWorkstream[]): PageWorkstream[] =>
  workstreams
    .map((workstream) => ({ workstream, end: timesOf(workstream).end ?? Infinity }))
    .toSorted((a, b) => a.end - b.end || 0)
    .map(({ workstream }) => workstream);

function countMarks(workstreams: readonly PageWorkstream[]): Map<EndMark, number> {
  const counts = new Map<EndMark, number>();
  for (const each of workstreams) {
    const mark = markOf(each);
    counts.set(mark, (counts.get(mark) ?? 0) + 1);
  }
  return counts;
}

function countCells(workstreams: readonly PageWorkstream[]): CellCounts {
  const counts = { total: 0, completed: 0, failed: 0, skipped: 0 };
  for (const { matrix, status } of workstreams) {
    if (matrix === null) continue;
    counts.total++;
    counts[status]++;
  }
  return counts;
}

function dependentsOf(workstreams: readonly PageWorkstream[]): Map<string, string[]> {
  const dependents = new Map<string, string[]>();
  for (const { id, dependsOn } of workstreams) {
    for (const needed of dependsOn) {
      const known = dependents.get(needed);
      if (known === undefined) dependents.set(needed, [id]);
      else known.push(id);
    }
  }
  return dependents;
}

/** Follows each chain of skips to the failure at its beginning; each link once. */
function heldBackBy(
  workstreams: readonly PageWorkstream[],
  byId: ReadonlyMap<string, PageWorkstream>,
): Map<string, string[]> {
  const roots = new Map<string, string>();
  const rootOf = (skipped: PageWorkstream): string => {
    const path: string[] = [];
    let at = skipped;
    while (at.status === 'skipped' && at.reason === 'dependency-failed' && !path.includes(at.id)) {
      const known = roots.get(at.id);
      if (known !== undefined) return settle(path, known);
      path.push(at.id);
      const cause = causeOf(at, byId);
      if (cause === undefined) break;
      at = cause;
    }
    return settle(path, at.id);
  };
  const settle = (path: readonly string[], root: string): string => {
    for (const id of path) roots.set(id, root);
    return root;
  };
  const groups = new Map<string, string[]>();
  for (const each of workstreams) {
    if (each.status !== 'skipped' || each.reason !== 'dependency-failed') continue;
    const root = rootOf(each);
    if (root === each.id) continue;
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [each.id]);
    else group.push(each.id);
  }
  return groups;
}

/** The dependency that its explanation names; without one the first that did not complete. */
function causeOf(
  { dependsOn, explanation }: PageWorkstream,
  byId: ReadonlyMap<string, PageWorkstream>,
): PageWorkstream | undefined {
  const left = dependsOn.flatMap((id) => byId.get(id) ?? []).filter(({ status }) => status !== 'completed');
  return left.find(({ id }) => explanation?.includes(`"${id}"`) === true) ?? left[0];
}

function kindOf({ head, workstreams }: PageDocument): RunKind {
  if (head.tasks.total > 0) return 'tasks';
  const cells = workstreams.reduce((sum, { matrix }) => sum + (matrix === null ? 0 : 1), 0);
  return cells > 1 && cells * 2 > workstreams.length ? 'sweep' : 'plain';
}
