/** One run as it is now: its document, and what its events change of it. */
import { signal } from '@preact/signals';
import type { LiveState, RowsEvent, RunAnswer, RunEvents } from '../../domain/dashboard/answers.ts';
import {
  type PageDocument,
  type PageWorkstream,
  unpackDocument,
  unpackWorkstream,
} from '../../domain/page-document.ts';
import { oneLine, plural } from '../model/format.ts';
import { Run } from '../model/run.ts';
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
export interface RunSeen {
  /** As it is now: figures, the timeline, what agents do. */
  now: Run;
  /** As it was when the reader last looked: what is in lists. */
  listed: Run;
  /** Ids of what ended, or was taken back, since then. */
  unseen: ReadonlySet<string>;
  /** Of this page's clock, in milliseconds since it was opened, when `now` was true. */
  at: number;
}

export class FollowedRun {
  /** Null until the document is there. */
  readonly run = signal<RunSeen | null>(null);
  readonly lost = signal<LostSince>(null);
  /** Why there is no document. */
  readonly problem = signal<string | null>(null);

  readonly #name: string;
  readonly #stream: Stream;
  #document: Omit<PageDocument, 'workstreams'> | null = null;
  #rows = new Map<string, PageWorkstream>();
  #live: LiveState | null = null;
  #at = 0;
  #isLoading = true;
  /** What was heard while the document was asked for: the answer may not have it. */
  #early: [name: string, data: string][] = [];
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #drawnAt = -Infinity;
  /** Milliseconds that the last drawing took. */
  #cost = 0;
  #spokenAt = -Infinity;
  #isClosed = false;
  #unseen = new Set<string>();
  /** Ended since something was last said of it. */
  #unsaid: PageWorkstream[] = [];

  /** @param name id of the run, or another name of it. */
  constructor(name: string) {
    this.#name = name;
    this.#stream = new Stream(`${pathOfRun(name)}/events`, {
      names: EVENTS,
      parameter: 'after',
      onEvent: (event, data) => this.#hear(event, data),
      onLost: (since) => {
        this.lost.value = since;
      },
    });
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
    const run = this.run.peek();
    this.#unseen = new Set();
    if (run !== null) this.run.value = { ...run, listed: run.now, unseen: this.#unseen };
  }

  async #load(): Promise<void> {
    try {
      const { document: packed, live, cursor } = await ask<RunAnswer>(pathOfRun(this.#name));
      if (this.#isClosed) return;
      const { workstreams, ...rest } = unpackDocument(packed);
      const isFirst = this.#document === null;
      const isBegun = this.#live === null;
      this.#document = rest;
      const rows = new Map(workstreams.map((each) => [each.id, each]));
      const ids = [...this.#rows.keys(), ...rows.keys()];
      this.#rows = rows;
      for (const id of ids) this.#compare(id);
      this.#setLive(live);
      this.problem.value = null;
      this.#isLoading = false;
      for (const [name, data] of this.#early.splice(0)) this.#hear(name, data);
      this.#draw();
      if (isBegun) this.look();
      if (isFirst) this.#stream.from(cursor);
    } catch (error) {
      if (this.#isClosed) return;
      if (this.#document === null) this.problem.value = messageOfError(error);
      setTimeout(() => {
        if (!this.#isClosed) void this.#load();
      }, 2000);
    }
  }

  #hear(name: string, data: string): void {
    if (this.#isLoading) {
      this.#early.push([name, data]);
      return;
    }
    switch (name) {
      case 'rows':
        this.#takeRows(JSON.parse(data));
        break;
      case 'live':
        this.#setLive(JSON.parse(data));
        break;
      case 'head':
        this.#document = JSON.parse(data);
        break;
      case 'over':
        this.#live = null;
        announcement.value = 'The run is over.';
        break;
      default:
        this.#isLoading = true;
        void this.#load();
    }
    this.#schedule();
  }

  #setLive(live: LiveState | null): void {
    this.#live = live;
    this.#at = performance.now();
  }

  #takeRows({ rows, gone }: RowsEvent): void {
    for (const id of gone) {
      this.#rows.delete(id);
      this.#compare(id);
    }
    for (const row of rows.map(unpackWorkstream)) {
      if (isSame(this.#rows.get(row.id), row)) continue;
      this.#rows.set(row.id, row);
      this.#compare(row.id);
      this.#unsaid.push(row);
    }
  }

  /** Notes whether something has become of a workstream since the reader last looked. */
  #compare(id: string): void {
    if (isSame(this.run.peek()?.listed.byId.get(id), this.#rows.get(id))) this.#unseen.delete(id);
    else this.#unseen.add(id);
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
    if (this.#document === null) return;
    const from = performance.now();
    requestAnimationFrame(() => setTimeout(() => (this.#cost = performance.now() - from)));
    this.#drawnAt = from;
    const before = this.run.peek();
    const now = new Run({ ...this.#document, workstreams: [...this.#rows.values()] }, this.#live);
    if (this.#live === null) this.#unseen = new Set();
    this.run.value = {
      now,
      listed: before === null || this.#live === null ? now : before.listed,
      unseen: new Set(this.#unseen),
      at: this.#at,
    };
    this.#speak();
  }

  #speak(): void {
    if (this.#unsaid.length === 0 || performance.now() - this.#spokenAt < SPOKEN_MS) return;
    this.#spokenAt = performance.now();
    const ended = this.#unsaid.splice(0);
    const failed = ended.filter(({ status }) => status === 'failed');
    const [first] = failed;
    announcement.value =
      first === undefined
        ? `${plural(ended.length, 'workstream')} more ended.`
        : `${plural(ended.length, 'workstream')} more ended; ${oneLine(first.title, 80)}${failed.length > 1 ? ` and ${failed.length - 1} others` : ''} failed.`;
  }
}

/** Whether two rows are of the same result: what was heard already is heard again after a lost connection. */
const isSame = (a: PageWorkstream | undefined, b: PageWorkstream | undefined): boolean =>
  a?.status === b?.status && a?.end === b?.end && a?.attemptCount === b?.attemptCount;
