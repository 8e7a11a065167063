/**
 * What is too large for a job or a receipt: kept beside them as sealed chunks, each named after its content, for a time.
 * The chunks of one owner (a snapshot, or one execution) are kept together, so that they are removed with it and never
 * with another owner's.
 */
import { z } from 'zod';
import { PROTOCOL, QUEUE_PREFIX, RUN_TTL_SECONDS } from './protocol.ts';
import type { QueueKey, SealContext } from './sealing.ts';

/** Content of at least this size in bytes travels as a body. */
export const BODY_BYTES = 64 * 1024;
/** The same of a batch, which is many small ones. */
export const BATCH_BYTES = 512 * 1024;

/** Of one chunk, in bytes. */
const CHUNK_BYTES = 1024 * 1024;

/** Most keys of one command. */
const KEYS_AT_ONCE = 500;

/** What is needed of Redis; a client of ioredis has it. */
export interface BodyRedis {
  set(key: string, value: Buffer, unit: 'PX', milliseconds: number): Promise<unknown>;
  getBuffer(key: string): Promise<Buffer | null>;
  pexpire(key: string, milliseconds: number): Promise<number>;
  unlink(...keys: string[]): Promise<unknown>;
}

/** A part of a body has gone: its time was over, or Redis lost it. */
export class MissingBody extends Error {
  constructor(owner: string) {
    super(`a part of what ${owner} sent is not in Redis any more`);
    this.name = 'MissingBody';
  }
}

/** Who owns which bodies. */
export const OWNERS = {
  /** The assignment of a job that is too large for it. */
  assignment: (job: string): string => `${job}/assignment`,
  /** What an execution sends back. @param token of the lease: a job that is executed again has others. */
  receipt: (job: string, token: string): string => `${job}/${token}`,
  /** A published snapshot, by the SHA-256 of its archive before it was compressed. */
  snapshot: (sha256: string): string => `snapshot/${sha256}`,
} as const;

/** Of the names of all bodies; that of their owner follows after a `:`. */
export const BODY_PREFIX = `${QUEUE_PREFIX}:v${PROTOCOL}:body`;

/** The bodies of a queue, for coordinator and host. */
export const bodiesIn = (redis: BodyRedis, key: QueueKey): Bodies =>
  new Bodies(redis, key, BODY_PREFIX, RUN_TTL_SECONDS * 1000);

export class Bodies {
  readonly #redis: BodyRedis;
  readonly #key: QueueKey;
  readonly #prefix: string;
  readonly #timeToLiveMs: number;

  /**
   * @param prefix of the names of all chunks in Redis.
   * @param timeToLiveMs how long a chunk is kept after it was stored, or kept anew, in milliseconds.
   */
  constructor(redis: BodyRedis, key: QueueKey, prefix: string, timeToLiveMs: number) {
    this.#redis = redis;
    this.#key = key;
    this.#prefix = prefix;
    this.#timeToLiveMs = timeToLiveMs;
  }

  /** Stores a content, one chunk after the other. Resolves with the ids of its chunks, in order. */
  async store(owner: string, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string[]> {
    const ids: string[] = [];
    for await (const chunk of chunksOf(content)) {
      const id = this.#key.idOf(chunk);
      const sealed = this.#key.seal({ job: `${owner}/${id}`, direction: 'body' }, chunk);
      await this.#redis.set(this.#name(owner, id), sealed, 'PX', this.#timeToLiveMs);
      ids.push(id);
    }
    return ids;
  }

  /**
   * The content, a chunk at a time.
   * @throws MissingBody, or BrokenSeal for what another key sealed or somebody changed.
   */
  async *read(owner: string, ids: readonly string[]): AsyncGenerator<Buffer> {
    for (const id of ids) {
      const sealed = await this.#redis.getBuffer(this.#name(owner, id));
      if (sealed === null) throw new MissingBody(owner);
      yield this.#key.open({ job: `${owner}/${id}`, direction: 'body' }, sealed);
    }
  }

  /** Lets the chunks live as long again as new ones. Resolves with whether all are there. */
  async keep(owner: string, ids: readonly string[]): Promise<boolean> {
    for (const id of ids)
      if ((await this.#redis.pexpire(this.#name(owner, id), this.#timeToLiveMs)) === 0) return false;
    return true;
  }

  /** Stores a content that is read by its owner's name alone. What an interrupted call stored is not found. */
  async publish(owner: string, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const ids = await this.store(owner, content);
    const sealed = this.#key.seal(indexOf(owner), Buffer.from(JSON.stringify(ids)));
    await this.#redis.set(this.#name(owner, INDEX), sealed, 'PX', this.#timeToLiveMs);
  }

  /** Lets what was published live as long again. Resolves with whether all of it is there. */
  async keepPublished(owner: string): Promise<boolean> {
    const ids = await this.#idsOf(owner);
    if (ids === null || !(await this.keep(owner, ids))) return false;
    return (await this.#redis.pexpire(this.#name(owner, INDEX), this.#timeToLiveMs)) === 1;
  }

  /** What was published. @throws as `read` does. */
  async *published(owner: string): AsyncGenerator<Buffer> {
    const ids = await this.#idsOf(owner);
    if (ids === null) throw new MissingBody(owner);
    yield* this.read(owner, ids);
  }

  async #idsOf(owner: string): Promise<string[] | null> {
    const sealed = await this.#redis.getBuffer(this.#name(owner, INDEX));
    if (sealed === null) return null;
    return idsSchema.parse(JSON.parse(this.#key.open(indexOf(owner), sealed).toString()));
  }

  async remove(owner: string, ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += KEYS_AT_ONCE) {
      const names = ids.slice(from, from + KEYS_AT_ONCE).map((id) => this.#name(owner, id));
      await this.#redis.unlink(...names);
    }
  }

  #name(owner: string, id: string): string {
    return `${this.#prefix}:${owner}:${id}`;
  }
}

const INDEX = 'index';
const indexOf = (owner: string): SealContext => ({ job: `${owner}/${INDEX}`, direction: 'body' });
const idsSchema = z.array(z.string());

/** The same bytes in chunks of one size; the last may be smaller. Nothing for nothing. */
async function* chunksOf(content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content) {
    for (let from = 0; from < piece.length; ) {
      const part = piece.subarray(from, from + CHUNK_BYTES - bytes);
      held.push(part);
      bytes += part.length;
      from += part.length;
      if (bytes < CHUNK_BYTES) continue;
      yield Buffer.concat(held);
      [held, bytes] = [[], 0];
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}

/** All pieces of a content that is known to fit into memory. */
export async function gathered(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}
