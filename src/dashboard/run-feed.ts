/** What happens in one run, as server-sent events for all who look at it. */
import { performance } from 'node:perf_hooks';
import type { AgentResult } from '../domain/agent-result.ts';
import type { LiveState, RunEvents } from '../domain/dashboard/answers.ts';
import { isLeft, type PlainText } from '../domain/page-document.ts';
import type { RunState } from '../domain/run-record.ts';
import { type LogAddress, limitsFor, PagePacker } from '../report/page-document.ts';
import {
  markOf,
  mergedAfter,
  type RunMark,
  type RunNow,
  runNow,
  withdrawnAfter,
} from '../store/read/live/run-changes.ts';
import type { DatabaseChange } from '../store/read/live/watched-database.ts';
import { resultsAfter } from '../store/read/page-results.ts';
import { failurePatternId } from '../store/read/patterns.ts';
import { resultsById } from '../store/read/results.ts';
import type { Connection } from '../store/schema/connection.ts';
import { oneLine } from '../text/printable.ts';
import { Broadcast } from './broadcast.ts';
import { eventBytes } from './client-stream.ts';
import { failureOf } from './failure.ts';
import { LiveReader } from './live-reader.ts';

/** Most results of one message, and most that a client is sent which comes back. */
const ROWS = 1_000;
const MOST_MISSED = 5_000;

/** The head is read again at most so often, in milliseconds, and as a rule at most a part of the time is spent on it. */
const HEAD_MS = 2_000;
const MOST_HEAD_MS = 20_000;
const HEAD_SHARE = 200;

/** Missed results that are read and sent at a time. */
const ROWS_AT_ONCE = 50;

const LIMITS = limitsFor(1);

/** The last number is missing in those of earlier versions. */
const CURSOR = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})(?:\.(\d{1,15}))?$/;

/** A mark as clients keep it. */
export const cursorOf = ({ session, row, reopened, merged }: RunMark): string =>
  `${session}.${row}.${reopened}.${merged}`;

/** Null for what is no cursor. */
export function markIn(cursor: string): RunMark | null {
  const [whole, session, row, reopened, merged = 0] = CURSOR.exec(cursor) ?? [];
  if (whole === undefined) return null;
  return { session: Number(session), row: Number(row), reopened: Number(reopened), merged: Number(merged) };
}

/** Whether a page shows a result that has too many of them for all: its head tells of it too. */
const isShownInAny = (result: AgentResult | PlainText): result is AgentResult =>
  typeof result !== 'string' && (result.status === 'failed' || isLeft(result.metadata.merge?.status ?? null));

/** @param rows JSON texts. @param gone ids of workstreams. */
function rowsEvent(rows: readonly string[], gone: readonly string[], cursor?: string): Uint8Array {
  const ids = JSON.stringify(gone.map((id) => oneLine(id, LIMITS.line)));
  return eventBytes('rows', `{"gone":${ids},"rows":[${rows.join(',')}]}`, cursor);
}

function* oneAfterTheOther<T>(...parts: readonly Iterable<T>[]): Generator<T, void, undefined> {
  for (const part of parts) yield* part;
}

/** What is to be made once for all who take it, each as fast as it likes. Where it can't be made, all are told. */
class Shared<T> implements Iterable<T> {
  readonly #source: Iterator<T>;
  readonly #made: T[] = [];
  #failure: unknown = null;

  constructor(source: Iterable<T>) {
    this.#source = source[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let taken = 0; ; ) {
      const more = this.#made.slice(taken);
      if (more.length === 0 && !this.#makeNext()) return;
      taken += more.length;
      yield* more;
    }
  }

  /** Returns whether there is one more. */
  #makeNext(): boolean {
    if (this.#failure !== null) throw this.#failure;
    try {
      const { done, value } = this.#source.next();
      if (done !== true) this.#made.push(value);
      return done !== true;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

/** What a feed needs to know beside the database. */
export interface FeedParts {
  /** Folder of the run's logs. */
  logs: string;
  addressOf: LogAddress;
  /** JSON of the run's document but for its workstreams. @param shown how many of them clients have. */
  headOf: (connection: Connection, shown: number) => Promise<string>;
}

/** Reads a run once for all clients, and tells each what is new to it. */
export class RunFeed {
  readonly broadcast = new Broadcast();
  readonly #runId: string;
  readonly #parts: FeedParts;
  #mark: RunMark;
  #packer: PagePacker;
  /** Of results that are sent again: the room of the others is for texts that clients do not have. */
  #packerAgain: PagePacker;
  #live: LiveReader;
  #state: RunState | null = null;
  /** How many failures the head tells of that clients have; null where that is not known, or what else it tells is old. */
  #failed: number | null = null;
  /** JSON of the last live state, but for its time; empty where the run is not under way. */
  #liveText = '';
  /** When it was last true, in ISO 8601. */
  #liveAt = '';
  #headText = '';
  #isHeadAsked = false;
  /** Whether the head that was asked for last is not the newest that clients need. */
  #isHeadOld = false;
  #headAt = Number.NEGATIVE_INFINITY;
  #connection: Connection;
  /** What the last client missed that has joined since the last `read`: those that lost their connections together come together. */
  #lastMissed: { cursor: string; messages: Shared<Uint8Array> } | null = null;

  constructor(connection: Connection, runId: string, parts: FeedParts) {
    this.#runId = runId;
    this.#parts = parts;
    this.#connection = connection;
    this.#mark = markOf(connection, runId);
    this.#packer = this.#newPacker();
    this.#packerAgain = this.#newPacker();
    this.#live = new LiveReader(runId, parts.logs);
    this.read(connection, 'changed');
  }

  /** Sends what is new. */
  read(connection: Connection, change: DatabaseChange): void {
    this.#connection = connection;
    this.#lastMissed = null;
    const run = runNow(connection, this.#runId);
    if (run === null) return this.#removed();
    const mark = markOf(connection, this.#runId);
    if (change === 'other') this.#begin(mark, 'The database was replaced.');
    else if (mark.session !== this.#mark.session) this.#begin(mark, 'The run was resumed.');
    else if (mark.reopened > this.#mark.reopened && !this.#withdraw(connection, mark.reopened))
      this.#begin(mark, 'An earlier version of Millrace lets workstreams be tried again.');
    else if (!this.#sendMerged(connection, mark.merged))
      this.#begin(mark, 'An earlier version of Millrace does not say which work was merged.');
    else if (mark.row !== this.#mark.row) this.#sendRows(connection, mark, run);
    else this.#mark = mark;
    if (run.state === 'running') this.#sendLive(this.#live.read(connection, run));
    else this.#liveText = '';
    this.#sendState(connection, run);
  }

  lost(): void {
    this.#reload('The database is gone, or can’t be read.');
  }

  /**
   * What a client gets first that knows the run up to a mark, as of the last `read`, and the position in `broadcast` from
   * which it goes on then. The messages are made as they are taken. Only with the last of missed results the client knows
   * more than before.
   * @param since null for a mark that can't be read.
   */
  join(connection: Connection, since: RunMark | null): { messages: Iterable<Uint8Array>; position: number } {
    const cursor = since === null ? '' : cursorOf(since);
    if (this.#lastMissed?.cursor !== cursor)
      this.#lastMissed = { cursor, messages: new Shared(this.#missed(connection, since)) };
    // By its time a client knows what time it is at the server, however long nothing has changed.
    if (this.#liveText !== '') this.broadcast.renew('live', this.#liveEvent());
    const { position, newest } = this.broadcast;
    return { messages: oneAfterTheOther(this.#lastMissed.messages, newest), position };
  }

  /** Whether the last `read` was early enough for a client that knows the run up to a mark; else `read` comes first. */
  isBehind(since: RunMark | null): boolean {
    const { session, row, reopened, merged } = this.#mark;
    if (since === null) return false;
    return since.session > session || since.row > row || since.reopened > reopened || since.merged > merged;
  }

  /** The message of a client that has to ask for the document again. */
  reloadMessage(why: string): Uint8Array {
    return this.#event('reload', { why });
  }

  #missed(connection: Connection, since: RunMark | null): Iterable<Uint8Array> {
    const { session, row, reopened, merged } = this.#mark;
    if (since === null || since.session !== session || since.reopened > reopened)
      return [this.reloadMessage('The run was resumed, or the database was replaced.')];
    const { gone, highestRow } = withdrawnAfter(connection, this.#runId, since.reopened);
    const after = highestRow === null ? Number.POSITIVE_INFINITY : Math.min(since.row, highestRow);
    const changed =
      since.merged === merged ? [] : mergedAfter(connection, this.#runId, { after: since.merged, upTo: row });
    if (after > row || since.merged > merged || changed === null)
      return [this.reloadMessage('It is not known what happened meanwhile.')];
    const { count, results } = resultsAfter(connection, this.#runId, { after, limit: MOST_MISSED + 1 });
    const again = changed.filter((id) => id <= after);
    if (count + again.length > MOST_MISSED)
      return [this.reloadMessage('More has happened than is sent again.')];
    if (gone.length + again.length > 0) this.#failed = null;
    const missed = oneAfterTheOther(resultsById(connection, again), results);
    return this.#missedRows(missed, gone, cursorOf(this.#mark));
  }

  /** @param gone ids, which come before the results. @param cursor up to where the client knows the run with all of them. */
  *#missedRows(
    results: Iterable<AgentResult | PlainText>,
    gone: readonly string[],
    cursor: string,
  ): Generator<Uint8Array, void, undefined> {
    const packer = this.#newPacker();
    let rows: string[] = [];
    let ids = gone;
    for (const result of results) {
      if (rows.length === ROWS_AT_ONCE) {
        yield rowsEvent(rows, ids);
        [rows, ids] = [[], []];
      }
      if (isShownInAny(result)) this.#failed = null;
      rows.push(packer.pack(result));
    }
    if (rows.length + ids.length > 0) yield rowsEvent(rows, ids, cursor);
  }

  /**
   * Tells which results are gone, and goes back to where the rows begin that may have got their numbers. False where that is
   * not known.
   */
  #withdraw(connection: Connection, reopened: number): boolean {
    const { gone, highestRow } = withdrawnAfter(connection, this.#runId, this.#mark.reopened);
    if (highestRow === null) return false;
    this.#mark = { ...this.#mark, reopened, row: Math.min(this.#mark.row, highestRow) };
    this.#live = new LiveReader(this.#runId, this.#parts.logs);
    if (gone.length > 0) this.broadcast.publish(this.#rowsEvent([], gone));
    return true;
  }

  /**
   * Sends results again whose merge states have changed, but those that are to be sent anyway. False where it is not known
   * which.
   */
  #sendMerged(connection: Connection, merged: number): boolean {
    const { merged: after, row: upTo } = this.#mark;
    if (merged <= after) return true;
    const ids = mergedAfter(connection, this.#runId, { after, upTo });
    if (ids === null) return false;
    for (let from = 0; from < ids.length; from += ROWS) {
      const results = resultsById(connection, ids.slice(from, from + ROWS));
      const rows = Array.from(results, (result) => this.#packerAgain.pack(result));
      // Only with the last of them clients know all.
      if (from + ROWS >= ids.length) this.#mark = { ...this.#mark, merged };
      this.broadcast.publish(this.#rowsEvent(rows));
    }
    this.#mark = { ...this.#mark, merged };
    this.#failed = null;
    return true;
  }

  #begin(mark: RunMark, why: string): void {
    this.#mark = mark;
    this.#packer = this.#newPacker();
    this.#packerAgain = this.#newPacker();
    this.#live = new LiveReader(this.#runId, this.#parts.logs);
    this.#state = null;
    this.#reload(why);
  }

  #removed(): void {
    if (this.#mark.row < 0) return;
    this.#mark = { ...this.#mark, row: -1 };
    this.#reload('The run was removed from the database.');
  }

  #reload(why: string): void {
    this.broadcast.publish(this.reloadMessage(why));
  }

  #sendRows(connection: Connection, mark: RunMark, run: RunNow): void {
    for (;;) {
      const after = this.#mark.row;
      const { results, lastRow, count } = resultsAfter(connection, this.#runId, { after, limit: ROWS });
      // Of a larger run the page has the failures and some others.
      const isWhole = run.completed + run.failed + run.skipped <= LIMITS.rows;
      const shown = isWhole ? results : [...results].filter((each) => isShownInAny(each));
      const rows = Array.from(shown, (result) => {
        if (isShownInAny(result)) this.#failed = null;
        return this.#packer.pack(result);
      });
      this.#mark = { ...mark, row: count < ROWS ? mark.row : lastRow };
      if (rows.length > 0) this.broadcast.publish(this.#rowsEvent(rows));
      if (count < ROWS) return;
    }
  }

  #rowsEvent(rows: readonly string[], gone: readonly string[] = []): Uint8Array {
    return rowsEvent(rows, gone, cursorOf(this.#mark));
  }

  #sendLive({ now, ...live }: LiveState): void {
    const text = JSON.stringify(live);
    this.#liveAt = now;
    if (text === this.#liveText) return;
    this.#liveText = text;
    this.broadcast.replace('live', this.#liveEvent());
  }

  #liveEvent(): Uint8Array {
    const data = `{"now":${JSON.stringify(this.#liveAt)},${this.#liveText.slice(1)}`;
    return eventBytes('live', data, cursorOf(this.#mark));
  }

  #sendState(connection: Connection, run: RunNow): void {
    const isNew = run.state !== this.#state;
    // Whoever has just loaded the document of a run under way has its head.
    const isKnown = this.#state === null && run.state === 'running';
    if (isKnown) this.#failed = run.failed;
    const isDue = run.failed !== this.#failed && performance.now() >= this.#headAt;
    const isOld = this.#isHeadOld && !this.#isHeadAsked;
    if ((isNew && !isKnown) || isDue || isOld) this.#sendHead(connection, run);
    if (!isNew) return;
    this.#state = run.state;
    if (run.state === 'running') this.broadcast.forget('over');
    else this.broadcast.replace('over', this.#event('over', { state: run.state }));
  }

  #sendHead(connection: Connection, run: RunNow): void {
    this.#failed = run.failed;
    this.#isHeadOld = this.#isHeadAsked;
    if (!this.#isHeadAsked)
      void this.#askHead(connection, Math.min(LIMITS.rows, run.completed + run.failed + run.skipped));
  }

  /** Asks for the head, and sends it once it is known. */
  async #askHead(connection: Connection, shown: number): Promise<void> {
    this.#isHeadAsked = true;
    const from = performance.now();
    const { session } = this.#mark;
    try {
      const text = await this.#parts.headOf(connection, shown);
      if (text === this.#headText || session !== this.#mark.session) return;
      this.#headText = text;
      this.broadcast.replace('head', eventBytes('head', text, cursorOf(this.#mark)));
    } catch (error) {
      // What may be otherwise the next time is asked for again.
      if (failureOf(error).error !== 'internal') this.#isHeadOld = true;
    } finally {
      const cost = (performance.now() - from) * HEAD_SHARE;
      this.#isHeadAsked = false;
      this.#headAt = performance.now() + Math.max(HEAD_MS, Math.min(MOST_HEAD_MS, cost));
    }
  }

  #event<Name extends keyof RunEvents>(name: Name, data: RunEvents[Name]): Uint8Array {
    return eventBytes(name, JSON.stringify(data), cursorOf(this.#mark));
  }

  #newPacker(): PagePacker {
    return new PagePacker({
      runId: this.#runId,
      addressOf: this.#parts.addressOf,
      patternOf: (id) => this.#patternOf(id),
      limits: LIMITS,
    });
  }

  #patternOf(workstreamId: string): string | null {
    return failurePatternId(this.#connection, this.#runId, workstreamId);
  }
}
