/** One run as it is now: its document, and what its events change of it. */
import { signal } from '@preact/signals';
import type { LiveState, RowsEvent, RunAnswer, RunEvents } from '../../domain/dashboard/answers.ts';
import { type PageWorkstream, unpackDocument, unpackWorkstream } from '../../domain/page-document.ts';
import { oneLine, plural } from '../model/format.ts';
import { isListedSo, isSameResult, LiveRun, Unseen, type UnseenCounts } from '../model/live-run.ts';
import { isLeftWork, type Run } from '../model/run.ts';
import { announcement } from '../state.ts';
import { ask, messageOfError, pathOfRun } from './client.ts';
import { type LostSince, Stream } from './streams.ts';

/** Between two drawings: at most four a second, and at most a quarter of the time is spent on them. */
const REDRAW_MS = 250;
const REDRAW_SHARE = 4;

/** Between two sentences for a screen reader. */
const SPOKEN_MS = 5000;

const EVENTS = ['rows', 'live', 'head', 'reload', 'over'] as const satisfies (keyof RunEvents)[];

/** A run under way changes while it is read: what is listed stays as it was when the reader looked. */
export class RunSeen {
  /** As it is now: figures, the timeline, what agents do. */
  readonly current: LiveRun;
  /** As it was when the reader last looked: what is in lists. */
  readonly listed: Run;
  /** What ended, or was taken back, since then. */
  readonly unseen: UnseenCounts;
  /** Of this page's clock, in milliseconds since it was opened, when `current` was true. */
  readonly at: number;
  /** How often the document was loaded: again where the run was resumed, or the database replaced. */
  readonly loads: number;
  /** What is executed at the moment; null of a run that is not under way. */
  readonly live: LiveState | null;
  #now: Run | null = null;

  constructor(seen: Pick<RunSeen, 'current' | 'listed' | 'unseen' | 'at' | 'loads'>) {
    const { current, listed, unseen, at, loads } = seen;
    this.current = current;
    this.live = current.live;
    this.listed = listed;
    this.unseen = unseen;
    this.at = at;
    this.loads = loads;
  }

  /** All of it as it is now, for a page that shows more of it than its figures. */
  get now(): Run {
    return (this.#now ??= this.live === null ? this.listed : this.current.snapshot());
  }
}

export class FollowedRun {
  /** Null until the document is there. */
  readonly run = signal<RunSeen | null>(null);
  readonly lost = signal<LostSince>(null);
  /** Why the document, or what it is now, can't be had, and since when; null where it is as it is now. */
  readonly problem = signal<{ text: string; since: number } | null>(null);

  /** The id, once it is known: another name, such as `latest`, may be that of another run the next time. */
  #name: string;
  #stream: Stream;
  #current: LiveRun | null = null;
  #at = 0;
  #isLoading = true;
  #loads = 0;
  /** What was heard while the document was asked for: the answer may not have it. */
  #early: [name: string, data: string][] = [];
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #drawnAt = -Infinity;
  /** Milliseconds that the last drawing took. */
  #cost = 0;
  #spokenAt = -Infinity;
  #isClosed = false;
  #unseen = new Unseen();
  /** By id: rows that lists are to have in place of those that they have. */
  readonly #relisted = new Map<string, PageWorkstream>();
  /** What ended since something was last said of it. */
  #unsaid = NOTHING_UNSAID;

  /** @param name id of the run, or another name of it. */
  constructor(name: string) {
    this.#name = name;
    this.#stream = this.#newStream();
    document.addEventListener('visibilitychange', this.#onVisible);
    void this.#load();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
    clearTimeout(this.#drawing);
    document.removeEventListener('visibilitychange', this.#onVisible);
  }

  /** Lists what ended since the reader last looked. */
  look(): void {
    if (this.#current === null) return;
    this.#unseen = new Unseen();
    this.#show(this.#current, this.#current.snapshot());
  }

  #newStream(): Stream {
    return new Stream(`${pathOfRun(this.#name)}/events`, {
      names: EVENTS,
      parameter: 'after',
      onEvent: (event, data) => this.#hear(event, data),
      onLost: (since) => {
        this.lost.value = since;
      },
    });
  }

  /** The run by its id: what was heard by another name is not of use. */
  async #ask(): Promise<RunAnswer> {
    const answer = await ask<RunAnswer>(pathOfRun(this.#name));
    if (this.#isClosed || answer.runId === this.#name) return answer;
    this.#name = answer.runId;
    this.#stream.close();
    this.#early = [];
    this.#stream = this.#newStream();
    return this.#ask();
  }

  async #load(): Promise<void> {
    try {
      const { document: packed, live, cursor } = await this.#ask();
      if (this.#isClosed) return;
      const { workstreams, ...rest } = unpackDocument(packed);
      const before = this.#current;
      const isFirst = before === null;
      const isBegun = before === null || before.live === null;
      const current = new LiveRun(rest, workstreams, live);
      this.#current = current;
      this.#loads += 1;
      this.#at = performance.now();
      if (!isFirst) for (const id of [...before.ids(), ...current.ids()]) this.#compare(current, id);
      this.problem.value = null;
      this.#isLoading = false;
      for (const [name, data] of this.#early.splice(0)) this.#hear(name, data);
      this.#draw();
      if (isBegun) this.look();
      if (isFirst) this.#stream.from(cursor);
    } catch (error) {
      if (this.#isClosed) return;
      const since = this.problem.peek()?.since ?? Date.now();
      this.problem.value = { text: messageOfError(error), since };
      setTimeout(() => {
        if (!this.#isClosed) void this.#load();
      }, 2000);
    }
  }

  #hear(name: string, data: string): void {
    const current = this.#current;
    if (this.#isLoading || current === null) {
      this.#early.push([name, data]);
      return;
    }
    switch (name) {
      case 'rows':
        this.#takeRows(current, JSON.parse(data));
        break;
      case 'live':
        current.live = JSON.parse(data);
        this.#at = performance.now();
        break;
      case 'head':
        current.document = JSON.parse(data);
        if (current.live === null && hasOldPatterns(current)) this.#reload();
        break;
      case 'over':
        current.live = null;
        announcement.value = 'The run is over.';
        break;
      default:
        this.#reload();
    }
    this.#schedule();
  }

  #reload(): void {
    this.#isLoading = true;
    void this.#load();
  }

  #takeRows(current: LiveRun, { rows, gone }: RowsEvent): void {
    for (const id of gone) {
      current.remove(id);
      this.#compare(current, id);
    }
    for (const row of rows.map(unpackWorkstream)) {
      const before = current.get(row.id);
      if (isSameResult(before, row) && before?.merge === row.merge) continue;
      current.put(row);
      this.#compare(current, row.id);
      this.#unsaid = withUnsaid(this.#unsaid, row, before);
    }
  }

  /** Notes whether something has become of a workstream since the reader last looked, and what lists may say of it at once. */
  #compare(current: LiveRun, id: string): void {
    const [listed, now] = [this.run.peek()?.listed.byId.get(id), current.get(id)];
    this.#unseen.compare(id, listed, now);
    if (now !== undefined && isListedSo(listed, now) && listed?.merge !== now.merge)
      this.#relisted.set(id, now);
    else this.#relisted.delete(id);
  }

  readonly #onVisible = (): void => this.#schedule();

  /** Draws soon: not sooner after the last time than a quarter of a second, and not where nobody can see it. */
  #schedule(): void {
    if (this.#drawing !== undefined || document.hidden || this.#isClosed) return;
    const pause = Math.max(REDRAW_MS, this.#cost * REDRAW_SHARE);
    const wait = Math.max(0, this.#drawnAt + pause - performance.now());
    this.#drawing = setTimeout(() => {
      this.#drawing = undefined;
      if (!document.hidden && !this.#isClosed) this.#draw();
    }, wait);
  }

  #draw(): void {
    const current = this.#current;
    if (current === null) return;
    const from = performance.now();
    requestAnimationFrame(() => setTimeout(() => (this.#cost = performance.now() - from)));
    this.#drawnAt = from;
    const before = this.run.peek();
    if (current.live === null) this.#unseen = new Unseen();
    this.#show(
      current,
      before === null || current.live === null ? current.snapshot() : this.#listed(before, current),
    );
    this.#speak();
  }

  /** What lists have as long as the reader has not looked: what is merged is told in its place. */
  #listed({ listed }: RunSeen, { document }: LiveRun): Run {
    const { merges } = document.head;
    const isListed = this.#relisted.size === 0 && merges === listed.head.merges;
    return isListed ? listed : listed.withMerged(this.#relisted, merges);
  }

  #show(current: LiveRun, listed: Run): void {
    this.#relisted.clear();
    this.run.value = new RunSeen({
      current,
      listed,
      unseen: this.#unseen.counts,
      at: this.#at,
      loads: this.#loads,
    });
  }

  #speak(): void {
    const text = sentencesOf(this.#unsaid);
    if (text === '' || performance.now() - this.#spokenAt < SPOKEN_MS) return;
    this.#spokenAt = performance.now();
    this.#unsaid = NOTHING_UNSAID;
    announcement.value = text;
  }
}

/** Whether the document, which tells all errors, does not have that of a row: some are one since the run has ended. */
function hasOldPatterns(run: LiveRun): boolean {
  const { errors, errorPatterns } = run.document.head;
  if (errors.length < errorPatterns) return false;
  const known = new Set(errors.flatMap(({ id, merged = [] }) => [id, ...merged]));
  return [...run.ids()].some((id) => {
    const patternId = run.get(id)?.patternId ?? null;
    return patternId !== null && !known.has(patternId);
  });
}

/** How many ended, failed and could not be merged, and the titles of the first that did. */
interface Unsaid {
  ended: number;
  failed: number;
  firstFailed: string;
  left: number;
  firstLeft: string;
}

const NOTHING_UNSAID: Unsaid = { ended: 0, failed: 0, firstFailed: '', left: 0, firstLeft: '' };

/** @param before what was known of the workstream. */
function withUnsaid(unsaid: Unsaid, row: PageWorkstream, before: PageWorkstream | undefined): Unsaid {
  const { ended, failed, firstFailed, left, firstLeft } = unsaid;
  const { status, title } = row;
  const hasEnded = !isSameResult(before, row);
  const hasFailed = hasEnded && status === 'failed';
  const isLeft = isLeftWork(row) && (before === undefined || hasEnded || !isLeftWork(before));
  return {
    ended: ended + (hasEnded ? 1 : 0),
    failed: failed + (hasFailed ? 1 : 0),
    firstFailed: hasFailed && failed === 0 ? title : firstFailed,
    left: left + (isLeft ? 1 : 0),
    firstLeft: isLeft && left === 0 ? title : firstLeft,
  };
}

/** Empty for nothing. */
function sentencesOf({ ended, failed, firstFailed, left, firstLeft }: Unsaid): string {
  const first = (title: string, all: number): string =>
    `${oneLine(title, 80)}${all > 1 ? ` and ${plural(all - 1, 'other')}` : ''}`;
  const sentences = [
    ...(ended > 0
      ? [
          `${plural(ended, 'workstream')} more ended${failed > 0 ? `; ${first(firstFailed, failed)} failed` : ''}.`,
        ]
      : []),
    ...(left > 0 ? [`${first(firstLeft, left)} could not be merged.`] : []),
  ];
  return sentences.join(' ');
}
