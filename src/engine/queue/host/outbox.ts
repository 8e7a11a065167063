/**
 * What executions report while they run, on its way to their runs: a stream for each run, in batches of what came within
 * 20 ms. Of two reports of progress in one batch the later one counts. What a run does not read is bounded: then log
 * lines are dropped, and counted.
 */
import type { Redis } from 'ioredis';
import { KEYS, type RemoteMessage, RUN_TTL_SECONDS, SEALED_FOR } from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';
import { insist } from './commands.ts';

const BATCH_MS = 20;
/** Of one batch, in characters of JSON: about what Redis takes as one value without a pause. */
const MOST_BATCH = 256 * 1024;
/** What an execution may have sent that its run has not read, in characters of JSON. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** From here on it is looked up how far the run has read. */
const LOOK_UNREAD = MOST_UNREAD / 4;
const LOOK_MS = 100;
const KEEP_MS = 60_000;

export class Outbox {
  readonly #redis: Redis;
  readonly #key: QueueKey;
  readonly #streams = new Map<string, RunStream>();

  constructor(redis: Redis, key: QueueKey) {
    this.#redis = redis;
    this.#key = key;
  }

  /** For the messages of one execution of a run. Closed, it forgets the run once it is the last one. */
  open(nonce: string): ExecutionMessages {
    let stream = this.#streams.get(nonce);
    if (stream === undefined) {
      stream = new RunStream(this.#redis, this.#key, nonce);
      this.#streams.set(nonce, stream);
    }
    const opened = stream;
    opened.users += 1;
    return new ExecutionMessages(opened, () => {
      opened.users -= 1;
      if (opened.users === 0) this.#streams.delete(nonce);
    });
  }
}

/** The messages of one execution. */
export class ExecutionMessages {
  readonly #stream: RunStream;
  readonly #close: () => void;
  #unread = 0;
  #dropped = 0;
  /** Reported last, and not sent yet. */
  #progress: Pending | null = null;
  #last: string | null = null;

  constructor(stream: RunStream, close: () => void) {
    this.#stream = stream;
    this.#close = close;
  }

  send(message: RemoteMessage): void {
    const isSame = this.#progress?.member === message.member;
    if (message.type === 'progress' && this.#progress !== null && isSame && !this.#progress.isSent) {
      this.#progress.text = JSON.stringify(message);
      return;
    }
    const text = JSON.stringify(message);
    if (this.#unread > LOOK_UNREAD) this.#stream.look();
    if (message.type === 'log' && this.#unread + text.length > MOST_UNREAD) {
      this.#dropped += 1;
      return;
    }
    const size = text.length;
    this.#unread += size;
    const pending: Pending = {
      text,
      member: message.member,
      isSent: false,
      onSent: (id) => {
        this.#last = id;
      },
      onRead: () => {
        this.#unread -= size;
      },
    };
    if (message.type === 'progress') this.#progress = pending;
    this.#stream.add(pending);
  }

  /** How many log lines were dropped because the run did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves, when everything is in the stream, with the id of its last entry; null for none. */
  async flush(): Promise<string | null> {
    await this.#stream.flush();
    return this.#last;
  }

  close(): void {
    this.#close();
  }
}

interface Pending {
  /** As JSON. */
  text: string;
  /** Of a batch: whose it is. */
  member: number | undefined;
  isSent: boolean;
  onSent(id: string): void;
  onRead(): void;
}

class RunStream {
  users = 0;
  readonly #redis: Redis;
  readonly #key: QueueKey;
  readonly #nonce: string;
  #pending: Pending[] = [];
  /** What the run has not read, in the stream's order. */
  readonly #sent: { id: string; messages: Pending[] }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #lookedAt = 0;
  #keptAt = Number.NEGATIVE_INFINITY;

  constructor(redis: Redis, key: QueueKey, nonce: string) {
    this.#redis = redis;
    this.#key = key;
    this.#nonce = nonce;
  }

  add(message: Pending): void {
    this.#pending.push(message);
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS);
  }

  /** Resolves when everything has been sent, however long Redis is full or away. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sendAfter(this.#sending);
    return this.#sending;
  }

  /** One batch after the other: their order counts. */
  async #sendAfter(before: Promise<void>): Promise<void> {
    await before;
    while (this.#pending.length > 0 && this.users > 0) await this.#sendBatch();
  }

  /** Lets messages that the run has removed from the stream count no more, at most ten times a second. */
  look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    void this.#look();
  }

  async #look(): Promise<void> {
    try {
      const [first] = await this.#redis.xrange(KEYS.messages(this.#nonce), '-', '+', 'COUNT', 1);
      this.#readUpTo(first?.[0] ?? null);
    } catch {
      // Redis is away, or full: it is looked up again later.
    }
  }

  async #sendBatch(): Promise<void> {
    const messages = this.#takeBatch();
    const json = `[${messages.map(({ text }) => text).join(',')}]`;
    const sealed = this.#key.seal(SEALED_FOR.messages(this.#nonce), Buffer.from(json)).toString('base64');
    const name = KEYS.messages(this.#nonce);
    try {
      const id = await insist(
        () => this.#redis.xadd(name, '*', 'batch', sealed),
        () => this.users === 0,
      );
      if (id === null) return;
      await this.#keepStream(name);
      this.#sent.push({ id, messages });
      for (const message of messages) message.onSent(id);
    } catch {
      // The last execution that has messages has ended: these are dropped.
    }
  }

  /** Lets the stream live on: seldom, as its time to live is in days. */
  async #keepStream(name: string): Promise<void> {
    const now = performance.now();
    if (now - this.#keptAt < KEEP_MS) return;
    await this.#redis.expire(name, RUN_TTL_SECONDS);
    this.#keptAt = now;
  }

  #takeBatch(): Pending[] {
    let [count, size] = [0, 0];
    for (const { text } of this.#pending) {
      if (count > 0 && size + text.length > MOST_BATCH) break;
      size += text.length;
      count += 1;
    }
    const taken = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    for (const message of taken) message.isSent = true;
    return taken;
  }

  /** @param first id of the first entry that is still in the stream; null for an empty one. */
  #readUpTo(first: string | null): void {
    const kept = first === null ? -1 : this.#sent.findIndex(({ id }) => !isBefore(id, first));
    const read = this.#sent.splice(0, kept === -1 ? this.#sent.length : kept);
    for (const { messages } of read) for (const message of messages) message.onRead();
  }
}

/** Ids of entries are two numbers: milliseconds, and a count within them. */
function isBefore(one: string, other: string): boolean {
  const [time, count] = partsOf(one);
  const [otherTime, otherCount] = partsOf(other);
  return time < otherTime || (time === otherTime && count < otherCount);
}

function partsOf(id: string): [number, number] {
  const [time, count] = id.split('-');
  return [Number(time), Number(count)];
}
