/** A run under way as it is now. What is said and drawn of it is kept row by row: a change takes as long with 10,000 rows as with ten. */
import type { LiveState, WorkstreamInHand } from '../../domain/dashboard/answers.ts';
import { type PageDocument, type PageWorkstream, PLAIN_WORKSTREAM } from '../../domain/page-document.ts';
import { type Bar, LaneSet, loadFrom, roomySpan, type TimelineData } from './lanes.ts';
import { byNumber } from './rows.ts';
import { type EndMark, markOf, needsPerson, Run, secondsOfLoad, timeOf, timesOf } from './run.ts';

/** A document but for its workstreams. */
export type DocumentHead = Omit<PageDocument, 'workstreams'>;

/** What an agent does at the moment; null for nothing. The same object for as long as nothing of it changes. */
export interface AgentNow {
  agentId: string;
  running: WorkstreamInHand | null;
}

export class LiveRun {
  /** Replaced when the server tells another one. */
  document: DocumentHead;
  readonly #rows: Map<string, PageWorkstream>;
  #live: LiveState | null = null;
  /** What is found out of rows one by one; null where it has to be found out of all of them again. */
  #found: FoundOut | null = null;
  readonly #agents = new Map<string, AgentNow>();
  #agentsInOrder: readonly AgentNow[] | null = null;
  /** By workstream and attempt: what is drawn of what is running. */
  #running = new Map<string, Bar>();

  constructor(document: DocumentHead, rows: readonly PageWorkstream[], live: LiveState | null) {
    this.document = document;
    this.#rows = new Map(rows.map((row) => [row.id, row]));
    for (const { agentId } of document.head.agents) this.#know(agentId);
    for (const row of rows) this.#knowAgentOf(row);
    this.live = live;
  }

  get live(): LiveState | null {
    return this.#live;
  }

  set live(live: LiveState | null) {
    this.#live = live;
    const running = new Map(live?.running.map((each) => [each.agentId, each]));
    for (const agentId of running.keys()) this.#know(agentId);
    for (const [agentId, before] of this.#agents) {
      const now = running.get(agentId) ?? null;
      if (isSameWork(before.running, now)) continue;
      this.#agents.set(agentId, { agentId, running: now });
      this.#agentsInOrder = null;
    }
  }

  get(id: string): PageWorkstream | undefined {
    return this.#rows.get(id);
  }

  ids(): IterableIterator<string> {
    return this.#rows.keys();
  }

  /** Adds a result, or puts it in place of the one before. */
  put(row: PageWorkstream): void {
    const before = this.#rows.get(row.id);
    this.#rows.set(row.id, row);
    this.#knowAgentOf(row);
    if (before !== undefined && hasSameTimes(before, row)) {
      this.#found?.replace(before, row);
      return;
    }
    if (before !== undefined) this.#forget(before);
    if (this.#found?.add(row) === false) this.#found = null;
  }

  /** Takes a result back. */
  remove(id: string): void {
    const before = this.#rows.get(id);
    if (before === undefined) return;
    this.#rows.delete(id);
    this.#forget(before);
  }

  #forget(row: PageWorkstream): void {
    if (this.#found?.remove(row) === false) this.#found = null;
  }

  /** How many have ended so. */
  count(...marks: readonly EndMark[]): number {
    return marks.reduce((sum, mark) => sum + (this.#known.counts.get(mark) ?? 0), 0);
  }

  /** How many need a person. */
  get needing(): number {
    return this.#known.needing;
  }

  /** How they ended, in the order of their results, so many in a group. A group is the same object until something of it changes. */
  strip(each: number): readonly (readonly EndMark[])[] {
    return this.#known.strip(this.#rows.values(), each);
  }

  /** Every agent that has had something to do, in the order of their names: none appears or vanishes by what it does. */
  get agents(): readonly AgentNow[] {
    return (this.#agentsInOrder ??= [...this.#agents.values()].toSorted((a, b) =>
      byNumber(a.agentId, b.agentId),
    ));
  }

  timeline(): TimelineData {
    const { lanes, startedAt, lastEnd } = this.#known;
    const secondsAt = (time: number): number => (time - startedAt) / 1000;
    const now = timeOf(this.#live?.now ?? null);
    lanes.run(this.#runningBars(now === null ? 0 : secondsAt(now), startedAt));
    const load = loadFrom(this.document.aggregates?.load ?? null, (iso) =>
      secondsAt(timeOf(iso) ?? startedAt),
    );
    const seconds = Math.max(
      0,
      secondsAt(Math.max(lastEnd, now ?? -Infinity)),
      load === null ? 0 : load.offset + secondsOfLoad(load.load),
    );
    return {
      lanes: lanes.all,
      seconds,
      span: roomySpan(seconds),
      now: now === null ? null : secondsAt(now),
      marks: lanes.marks,
      hasEarlier: lanes.hasEarlier,
      critical: [],
      load,
    };
  }

  /** As it is at this moment, and stays. */
  snapshot(): Run {
    return new Run({ ...this.document, workstreams: [...this.#rows.values()] }, this.#live);
  }

  get #known(): FoundOut {
    if (this.#found === null) {
      this.#found = new FoundOut(startOf(this.document, this.#rows.values()));
      for (const { agentId } of this.document.head.agents) this.#found.lanes.know(agentId);
      for (const row of this.#rows.values()) this.#found.add(row);
    }
    return this.#found;
  }

  #know(agentId: string): void {
    if (this.#agents.has(agentId)) return;
    this.#agents.set(agentId, { agentId, running: null });
    this.#agentsInOrder = null;
  }

  #knowAgentOf({ agentId, start }: PageWorkstream): void {
    if (start !== null) this.#know(agentId);
  }

  /** Of what is executed at the moment: until now. */
  #runningBars(now: number, startedAt: number): Map<string, Bar[]> {
    const bars = new Map<string, Bar>();
    const byAgent = new Map<string, Bar[]>();
    for (const each of this.#live?.running ?? []) {
      const key = `${each.attempt} ${each.workstreamId}`;
      const bar = this.#running.get(key) ?? newBar(each, now, startedAt);
      bar.to = Math.max(bar.from, now);
      bars.set(key, bar);
      byAgent.set(each.agentId, [...(byAgent.get(each.agentId) ?? []), bar]);
    }
    this.#running = bars;
    return byAgent;
  }
}

function newBar(
  { workstreamId: id, title, agentId, attempt, since }: WorkstreamInHand,
  now: number,
  startedAt: number,
): Bar {
  const begun = timeOf(since);
  const from = begun === null ? now : Math.min(now, (begun - startedAt) / 1000);
  const workstream = { ...PLAIN_WORKSTREAM, id, title, agentId, start: since, attemptCount: attempt };
  return { workstream, attempt, isEarlier: false, mark: 'running', from, to: now };
}

function isSameWork(a: WorkstreamInHand | null, b: WorkstreamInHand | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.workstreamId === b.workstreamId &&
    a.attempt === b.attempt &&
    a.since === b.since &&
    a.fraction === b.fraction &&
    a.text === b.text &&
    a.logFile === b.logFile
  );
}

/** When a run began, in milliseconds since 1970. */
const startOf = ({ head }: DocumentHead, rows: Iterable<PageWorkstream>): number =>
  Array.from(rows, (row) => timesOf(row).first).reduce(
    (least, first) => Math.min(least, first),
    timeOf(head.run.createdAt) ?? Infinity,
  );

function hasSameTimes(a: PageWorkstream, b: PageWorkstream): boolean {
  const [one, other] = [timesOf(a), timesOf(b)];
  return one.first === other.first && one.end === other.end;
}

/** What is found out of rows one by one. */
class FoundOut {
  readonly startedAt: number;
  readonly lanes: LaneSet;
  readonly counts = new Map<EndMark, number>();
  /** How many need a person. */
  needing = 0;
  /** Milliseconds since 1970. */
  lastEnd = -Infinity;
  #strip: EndMark[][] | null = null;
  #each = 0;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
    this.lanes = new LaneSet(startedAt);
  }

  /** False where all has to be found out again: it began before the run is known to have begun. */
  add(row: PageWorkstream): boolean {
    const { first, end } = timesOf(row);
    if (first < this.startedAt) return false;
    this.lastEnd = Math.max(this.lastEnd, end ?? -Infinity);
    this.lanes.add(row);
    this.#count(row, 1);
    this.#append(markOf(row));
    return true;
  }

  /** False where all has to be found out again: it was the first that began, or the last that ended. */
  remove(row: PageWorkstream): boolean {
    const { first, end } = timesOf(row);
    if (first <= this.startedAt || end === this.lastEnd) return false;
    this.lanes.remove(row);
    this.#count(row, -1);
    this.#strip = null;
    return true;
  }

  /** Puts one in place of another of the same times. */
  replace(before: PageWorkstream, row: PageWorkstream): void {
    this.lanes.remove(before);
    this.lanes.add(row);
    this.#count(before, -1);
    this.#count(row, 1);
    if (markOf(before) !== markOf(row)) this.#strip = null;
  }

  strip(rows: Iterable<PageWorkstream>, each: number): readonly (readonly EndMark[])[] {
    if (this.#strip !== null && this.#each === each) return this.#strip;
    const marks = Array.from(rows, markOf);
    this.#each = each;
    this.#strip = Array.from({ length: Math.ceil(marks.length / each) }, (_, index) =>
      marks.slice(index * each, (index + 1) * each),
    );
    return this.#strip;
  }

  #count(row: PageWorkstream, by: 1 | -1): void {
    const mark = markOf(row);
    this.counts.set(mark, (this.counts.get(mark) ?? 0) + by);
    if (needsPerson(row)) this.needing += by;
  }

  #append(mark: EndMark): void {
    const last = this.#strip?.at(-1);
    if (last === undefined || last.length >= this.#each) this.#strip?.push([mark]);
    else this.#strip?.splice(-1, 1, [...last, mark]);
  }
}

/** What has become of workstreams since the reader last looked, in numbers. */
export interface UnseenCounts {
  /** Not in the lists yet. */
  more: number;
  /** In the lists, and otherwise now. */
  changed: number;
  /** Of both, those that need a person now. */
  needing: number;
}

/** Counts what has become of workstreams since the reader last looked. */
export class Unseen {
  readonly #seen = new Map<string, (keyof UnseenCounts)[]>();
  readonly #counts: UnseenCounts = { more: 0, changed: 0, needing: 0 };

  /** @param listed what the lists have of a workstream. @param now what is known of it. */
  compare(id: string, listed: PageWorkstream | undefined, now: PageWorkstream | undefined): void {
    for (const name of this.#seen.get(id) ?? []) this.#counts[name] -= 1;
    this.#seen.delete(id);
    if (isListedSo(listed, now)) return;
    const names: (keyof UnseenCounts)[] = [listed === undefined ? 'more' : 'changed'];
    if (now !== undefined && needsPerson(now)) names.push('needing');
    for (const name of names) this.#counts[name] += 1;
    this.#seen.set(id, names);
  }

  get counts(): UnseenCounts {
    return { ...this.#counts };
  }
}

/** Whether two rows are of the same result: what was heard already is heard again after a lost connection. */
export const isSameResult = (a: PageWorkstream | undefined, b: PageWorkstream | undefined): boolean =>
  a?.status === b?.status && a?.end === b?.end && a?.attemptCount === b?.attemptCount;

/** Whether lists that have one row may have the other in its place: it stands where that stood, and needs nobody else. */
export const isListedSo = (a: PageWorkstream | undefined, b: PageWorkstream | undefined): boolean =>
  isSameResult(a, b) &&
  (a === undefined || b === undefined || (markOf(a) === markOf(b) && needsPerson(a) === needsPerson(b)));
