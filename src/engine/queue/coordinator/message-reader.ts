/** Reads the stream of messages of a run, in order, once, and removes what it has read. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { closeConnection, MOST_BLOCKED_MS, unlessClosed } from '../connection.ts';
import { KEYS, type RemoteMessage, remoteMessagesSchema, SEALED_FOR } from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';

/** Of entries that are read at once. */
const AT_ONCE = 200;
/** How long something is waited for that is in the stream, before it is looked up whether it is. */
const LOOK_UP_MS = 1_000;
const AFTER_ERROR_MS = 200;

export interface MessageReaderParts {
  /** For commands. */
  redis: Redis;
  /** Of this reader alone: its commands block. */
  blocking: Redis;
  key: QueueKey;
  nonce: string;
  onMessage: (message: RemoteMessage) => void;
  /** Jobs were completed: a hint. */
  onAnswered: (jobs: readonly string[]) => void;
  /** Called with what could not be read, in a sentence. */
  onProblem: (text: string) => void;
}

export class MessageReader {
  readonly #parts: MessageReaderParts;
  /** Id of the last entry that was read. */
  #cursor = '0-0';
  #isClosed = false;
  #waiting: (() => void)[] = [];
  #refused = 0;
  readonly #over: Promise<void>;

  constructor(parts: MessageReaderParts) {
    this.#parts = parts;
    this.#over = this.#readAll();
  }

  /** Resolves when everything up to an entry was passed on, or is not in the stream any more. */
  async reached(id: string | null): Promise<void> {
    if (id === null) return;
    while (!this.#isClosed && isBefore(this.#cursor, id)) {
      const moved = await this.#moved();
      if (!moved && (await this.#isLost(id))) return;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    closeConnection(this.#parts.blocking);
    this.#wake();
    await this.#over;
  }

  async #readAll(): Promise<void> {
    const { blocking, nonce } = this.#parts;
    const stream = KEYS.messages(nonce);
    while (!this.#isClosed) {
      try {
        const next = blocking.xread(
          'COUNT',
          AT_ONCE,
          'BLOCK',
          MOST_BLOCKED_MS,
          'STREAMS',
          stream,
          this.#cursor,
        );
        const reply = await unlessClosed(blocking, next);
        await this.#take(reply === null ? [] : (repliesSchema.parse(reply)[0]?.[1] ?? []));
      } catch {
        // The connection was lost, and is made again; or the stream was taken away.
        if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, AFTER_ERROR_MS));
      }
    }
  }

  async #take(entries: readonly Entry[]): Promise<void> {
    const answered: string[] = [];
    for (const [id, fields] of entries) {
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const [name, value = ''] = fields.slice(at);
        if (name === 'answered') answered.push(value);
        else if (name === 'batch') for (const message of this.#opened(value)) this.#parts.onMessage(message);
      }
      this.#cursor = id;
    }
    if (entries.length === 0) return;
    this.#wake();
    if (answered.length > 0) this.#parts.onAnswered(answered);
    const { redis, nonce } = this.#parts;
    // Not waited for: what is read twice after a death is progress and log lines.
    redis.xtrim(KEYS.messages(nonce), 'MINID', after(this.#cursor)).catch(() => undefined);
  }

  #opened(sealed: string): RemoteMessage[] {
    const { key, nonce, onProblem } = this.#parts;
    try {
      const bytes = key.open(SEALED_FOR.messages(nonce), Buffer.from(sealed, 'base64'));
      return remoteMessagesSchema.parse(JSON.parse(bytes.toString()));
    } catch {
      // The first is told: there may be one for each line of a log.
      this.#refused += 1;
      if (this.#refused === 1)
        onProblem(
          'A message in the queue was refused: it was not sealed with the key of this run, or changed.',
        );
      return [];
    }
  }

  /** Resolves with true when something was read, and with false after a while. */
  #moved(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), LOOK_UP_MS);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Whether the stream was emptied by others, as FLUSHALL does. */
  async #isLost(id: string): Promise<boolean> {
    const { redis, nonce } = this.#parts;
    const between = await redis.xrange(KEYS.messages(nonce), after(this.#cursor), id, 'COUNT', 1);
    return between.length === 0;
  }
}

const entrySchema = z.tuple([z.string(), z.array(z.string())]);
type Entry = z.infer<typeof entrySchema>;
const repliesSchema = z.array(z.tuple([z.string(), z.array(entrySchema)]));

const partsOf = (id: string): [bigint, bigint] => {
  const [time = '0', sequence = '0'] = id.split('-');
  return [wholeOf(time), wholeOf(sequence)];
};

const wholeOf = (text: string): bigint => (/^\d{1,20}$/.test(text) ? BigInt(text) : 0n);

/** Whether an entry's id is that of an earlier one. */
function isBefore(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)];
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}

function after(id: string): string {
  const [time, sequence] = partsOf(id);
  return `${time}-${sequence + 1n}`;
}
