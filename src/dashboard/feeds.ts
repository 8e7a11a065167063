/** One reader of the database for all clients: it looks often while somebody watches, and not at all otherwise. */
import { performance } from 'node:perf_hooks';
import type { ListEvents } from '../domain/dashboard/answers.ts';
import { RunList } from '../store/read/live/listed-runs.ts';
import type { DatabaseChange, WatchedDatabase } from '../store/read/live/watched-database.ts';
import { asOfNow, type Connection } from '../store/schema/connection.ts';
import { StoreError } from '../store/schema/store-error.ts';
import { Broadcast } from './broadcast.ts';
import { eventBytes } from './client-stream.ts';

/** How often the database is looked at, in milliseconds. Less often where that takes long, so that it takes a small part of the time. */
const LOOK_MS = 100;
const MOST_LOOK_MS = 200;
const LOOK_SHARE = 100;

/** Whether processes live is looked at so often: a run that was killed changes nothing in the database. */
const LIVENESS_MS = 1_000;

/** What reads when something may have changed. */
interface Feed {
  read(connection: Connection, change: DatabaseChange): void;
}

export class Feeds {
  readonly #database: WatchedDatabase;
  readonly #feeds = new Map<string, { feed: Feed; clients: number }>();
  #timer: NodeJS.Timeout | null = null;
  #readAt = 0;

  constructor(database: WatchedDatabase) {
    this.#database = database;
  }

  /** The feed of this name, which exists as long as it has clients: `leave` is to be called once for each call of this. */
  enter<T extends Feed>(name: string, make: () => T): T;
  enter(name: string, make: () => Feed): Feed {
    const known = this.#feeds.get(name);
    const entry = known ?? { feed: make(), clients: 0 };
    entry.clients += 1;
    this.#feeds.set(name, entry);
    if (this.#timer === null) this.#later(LOOK_MS);
    return entry.feed;
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
    const change = this.#database.look();
    if (change !== 'none' || from - this.#readAt >= LIVENESS_MS) {
      this.#readAt = from;
      this.#readAll(change);
    }
    // Broadcasts are sent in microtasks, and what that takes counts.
    queueMicrotask(() => {
      const took = performance.now() - from;
      if (this.#timer !== null) this.#later(Math.min(MOST_LOOK_MS, Math.max(LOOK_MS, took * LOOK_SHARE)));
    });
  }

  #readAll(change: DatabaseChange): void {
    whereReadable(() => {
      const { connection } = this.#database;
      if (connection === null) return;
      asOfNow(connection, () => {
        for (const { feed } of this.#feeds.values()) whereReadable(() => feed.read(connection, change));
      });
    });
  }
}

/** What can't be read now is read the next time. */
function whereReadable(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/** The list of runs, as it changes. */
export class ListFeed {
  readonly broadcast = new Broadcast();
  readonly #list = new RunList();
  #isBegun = false;

  read(connection: Connection, change: DatabaseChange): void {
    if (change === 'other' || !this.#isBegun) {
      this.#list.begin(connection);
      // Of another database the whole list is new.
      if (this.#isBegun) this.broadcast.publish(this.reloadMessage);
      this.#isBegun = true;
      return;
    }
    const changed: ListEvents['runs'] | null = this.#list.change(connection);
    if (changed !== null) this.broadcast.publish(eventBytes('runs', JSON.stringify(changed)));
  }

  readonly reloadMessage = eventBytes('reload', '{}');
}
