/** The list of runs: as it was when its reader looked, and what has become of it since. */
import { signal } from '@preact/signals';
import type { ListEvents, ListedRun, RunsAnswer } from '../../domain/dashboard/answers.ts';
import { ask, messageOfError } from './client.ts';
import { type LostSince, Stream } from './streams.ts';

/** Runs that are asked for at once. */
const PAGE = 200;

/** Until a question is asked again that had no answer. */
const AGAIN_MS = 2000;

/** Runs begin, change and end while their list is read: which are listed, and where, stays as it was when the reader looked. */
interface RunsOnPage {
  /** As they were when the reader looked, the newest first. */
  listed: readonly ListedRun[];
  /** By id, as they are now; also those that began since then. */
  now: ReadonlyMap<string, ListedRun>;
  total: number;
  database: string;
}

export class FollowedRuns {
  /** Null until it is there. */
  readonly runs = signal<RunsOnPage | null>(null);
  /** Why they, or older ones, can't be had; null where they are as they are now. */
  readonly problem = signal<string | null>(null);
  readonly #stream: Stream;
  /** For each question that has no answer yet what was heard since it was asked: its answer may be from before that. */
  readonly #asking = new Set<string[]>();
  #catchUps = 0;
  #isClosed = false;

  /** @param onLost told of the connection by which changes come. */
  constructor(onLost: (since: LostSince) => void) {
    this.#stream = new Stream('/api/events', {
      names: ['runs', 'reload'],
      parameter: 'after',
      onEvent: (name, data) => {
        if (name === 'reload') void this.#catchUp();
        else this.#hear(data);
      },
      onLost: (since) => {
        if (since === null) void this.#catchUp();
        onLost(since);
      },
    });
    void this.#load();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
  }

  /** Lists all as they are now. */
  look(): void {
    const before = this.runs.peek();
    if (before !== null) this.runs.value = { ...before, listed: newestFirst(before.now) };
  }

  /** Asks for the next older ones. */
  async older(): Promise<void> {
    const known = this.runs.peek();
    const last = known?.listed.findLast(({ runId }) => known.now.has(runId));
    if (last === undefined) return;
    try {
      const { answer, meanwhile } = await this.#ask(`&before=${encodeURIComponent(last.runId)}`);
      this.#append(answer.runs);
      this.#takeAll(meanwhile);
    } catch (error) {
      this.problem.value = messageOfError(error);
    }
  }

  #append(runs: readonly ListedRun[]): void {
    const before = this.runs.peek();
    if (before === null) return;
    const known = new Set(before.listed.map(({ runId }) => runId));
    const more = runs.filter(({ runId }) => !known.has(runId));
    const now = new Map([...before.now, ...byId(runs)]);
    this.runs.value = { ...before, listed: [...before.listed, ...more], now };
  }

  async #load(): Promise<void> {
    try {
      const { answer, meanwhile } = await this.#ask();
      if (this.#isClosed) return;
      const { runs, total, database } = answer;
      this.runs.value = { listed: runs, now: byId(runs), total, database };
      this.problem.value = null;
      this.#takeAll(meanwhile);
      this.#stream.from(null);
    } catch (error) {
      if (this.#isClosed) return;
      this.problem.value = messageOfError(error);
      setTimeout(() => {
        if (!this.#isClosed) void this.#load();
      }, AGAIN_MS);
    }
  }

  /** What changed while nobody listened is not sent again. */
  async #catchUp(): Promise<void> {
    const number = ++this.#catchUps;
    const isOutdated = (): boolean => this.#isClosed || number !== this.#catchUps;
    try {
      const { answer, meanwhile } = await this.#ask();
      if (isOutdated()) return;
      const { runs, total } = answer;
      this.#take({ runs, gone: goneOf([...(this.runs.peek()?.now.values() ?? [])], runs), total });
      this.#takeAll(meanwhile);
      this.problem.value = null;
    } catch (error) {
      if (!isOutdated()) this.problem.value = messageOfError(error);
    }
  }

  async #ask(which = ''): Promise<{ answer: RunsAnswer; meanwhile: readonly string[] }> {
    const meanwhile: string[] = [];
    this.#asking.add(meanwhile);
    try {
      return { answer: await ask<RunsAnswer>(`/api/runs?limit=${PAGE}${which}`), meanwhile };
    } finally {
      this.#asking.delete(meanwhile);
    }
  }

  #hear(data: string): void {
    for (const meanwhile of this.#asking) meanwhile.push(data);
    this.#take(JSON.parse(data));
  }

  #takeAll(events: readonly string[]): void {
    for (const data of events) this.#take(JSON.parse(data));
  }

  #take({ runs, gone, total }: ListEvents['runs']): void {
    const before = this.runs.peek();
    if (before === null) return;
    const { listed } = before;
    const now = new Map(before.now);
    const oldest = listed.at(-1)?.createdAt ?? '';
    for (const run of runs) if (now.has(run.runId) || run.createdAt >= oldest) now.set(run.runId, run);
    for (const id of gone) now.delete(id);
    // Of an empty list, and where the database is another one, nothing stays.
    const isSame = listed.some(({ runId }) => now.has(runId));
    this.runs.value = { ...before, listed: isSame ? listed : newestFirst(now), now, total };
  }
}

/** Ids of the runs that are missing among the newest ones. Of those that are older than all of these nothing is known. */
function goneOf(known: readonly ListedRun[], newest: readonly ListedRun[]): string[] {
  const ids = new Set(newest.map(({ runId }) => runId));
  const oldest = newest.length < PAGE ? '' : (newest.at(-1)?.createdAt ?? '');
  return known
    .filter(({ runId, createdAt }) => createdAt >= oldest && !ids.has(runId))
    .map(({ runId }) => runId);
}

const byId = (runs: readonly ListedRun[]): Map<string, ListedRun> =>
  new Map(runs.map((run) => [run.runId, run]));

export const newestFirst = (runs: ReadonlyMap<string, ListedRun>): ListedRun[] =>
  [...runs.values()].toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
