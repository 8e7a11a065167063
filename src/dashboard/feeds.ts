/** One reader of the database for all clients: it looks often while there are clients, and not at all otherwise. */
import { performance } from 'node:perf_hooks';
import type { ListEvents } from '../domain/dashboard/answers.ts';
import { RunList } from '../store/read/live/listed-runs.ts';
import type { DatabaseChange, DatabaseMark, WatchedDatabase } from '../store/read/live/watched-database.ts';
import { asOfNow, type Connection } from '../store/schema/connection.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { Broadcast } from './broadcast.ts';
import { eventBytes } from './client-stream.ts';

/**
 * How often the database is looked at, in milliseconds: a result is to be shown within 250. Less often where that takes
 * long, so that it takes a small part of the time.
 */
const LOOK_MS = 150;
const MOST_LOOK_MS = 200;
const LOOK_SHARE = 100;

/** Whether processes live is looked at so often: a run that was killed changes nothing in the database. */
const LIVENESS_MS = 1_000;

/** What reads when something may have changed. */
interface Feed {
  read(connection: Connection, change: DatabaseChange): void;
  /** Called once when the database is gone, or can't be read any more: what it tells its clients lets them ask, and be told why. */
  lost(): void;
}

/** A feed, for how many clients it is, and what of the database it has read. */
interface Entry {
  feed: Feed;
  clients: number;
  seen: DatabaseMark;
}

export class Feeds {
  readonly #database: WatchedDatabase;
  readonly #feeds = new Map<string, Entry>();
  #timer: NodeJS.Timeout | null = null;
  #readAt = 0;

  constructor(database: WatchedDatabase) {
    this.#database = database;
  }

  /**
   * The feed of this name, which has read the database as it was at the last look. It exists as long as it has clients:
   * `leave` is to be called once for each call of this. @param make the feed, which has read what it is to tell the changes of.
   */
  enter<T extends Feed>(name: string, make: () => T): T;
  enter(name: string, make: () => Feed): Feed {
    const entry = this.#feeds.get(name) ?? this.#made(make);
    entry.clients += 1;
    this.#feeds.set(name, entry);
    if (this.#timer === null) this.#later(LOOK_MS);
    return entry.feed;
  }

  /** Lets the feed of this name read the database as it is now. */
  readNow(name: string): void {
    const entry = this.#feeds.get(name);
    this.#database.look();
    if (entry !== undefined) this.#read([entry], false);
  }

  #made(make: () => Feed): Entry {
    this.#database.look();
    const seen = this.#database.mark;
    return { feed: make(), clients: 0, seen };
  }

  leave(name: string): void {
    const entry = this.#feeds.get(name);
    if (entry === undefined) return;
    entry.clients -= 1;
    if (entry.clients === 0) this.#feeds.delete(name);
    if (this.#feeds.size === 0) this.close();
  }

  /** How many feeds there are. */
  get size(): number {
    return this.#feeds.size;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #later(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }

  #look(): void {
    const from = performance.now();
    this.#database.look();
    const isDue = from - this.#readAt >= LIVENESS_MS;
    if (isDue) this.#readAt = from;
    this.#read([...this.#feeds.values()], isDue);
    // Broadcasts are sent in microtasks, and what that takes counts.
    queueMicrotask(() => {
      const took = performance.now() - from;
      if (this.#timer !== null) this.#later(Math.min(MOST_LOOK_MS, Math.max(LOOK_MS, took * LOOK_SHARE)));
    });
  }

  /** Lets those feeds read to which the database is new; all of them where `isDue`. */
  #read(entries: readonly Entry[], isDue: boolean): void {
    const due = entries.filter(({ seen }) => isDue || this.#database.changeSince(seen) !== 'none');
    if (due.length === 0) return;
    const connection = whereReadable(() => this.#database.connection) ?? null;
    if (connection === null) return this.#tellLost(due);
    whereReadable(() => {
      asOfNow(connection, () => {
        for (const entry of due) {
          const { mark } = this.#database;
          whereReadable(() => {
            entry.feed.read(connection, this.#database.changeSince(entry.seen));
            entry.seen = mark;
          });
        }
      });
    });
  }

  #tellLost(entries: readonly Entry[]): void {
    const { mark } = this.#database;
    for (const entry of entries) {
      if (this.#database.changeSince(entry.seen) !== 'other') continue;
      entry.seen = mark;
      entry.feed.lost();
    }
  }
}

/** What can't be read now is read the next time. */
function whereReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return undefined;
  }
}

/** The list of runs, as it changes. */
export class ListFeed {
  readonly broadcast = new Broadcast();
  readonly #list = new RunList();

  /** @param connection null where there is no database yet. */
  constructor(connection: Connection | null) {
    if (connection !== null) this.#list.begin(connection);
  }

  read(connection: Connection, change: DatabaseChange): void {
    if (change === 'other') {
      this.#list.begin(connection);
      // Of another database the whole list is new.
      this.broadcast.publish(this.reloadMessage);
      return;
    }
    const changed: ListEvents['runs'] | null = this.#list.change(connection);
    if (changed !== null) this.broadcast.publish(eventBytes('runs', JSON.stringify(changed)));
  }

  lost(): void {
    this.broadcast.publish(this.reloadMessage);
  }

  readonly reloadMessage = eventBytes('reload', '{}');
}
