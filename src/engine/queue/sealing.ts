/**
 * Encryption of everything that crosses the queue: whoever can write to its Redis, but has no key, can neither read it
 * nor make a host execute anything.
 *
 * A sealed value is a version byte, a random nonce of 12 bytes, the ciphertext and a tag of 16 bytes: AES-256-GCM (NIST
 * SP 800-38D), by a key for each direction that HKDF-SHA-256 (RFC 5869) derives from the secret. What it is for is
 * authenticated with it, so that a value that is moved to another job, or sent the other way, does not open.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Secret } from '../../domain/agent-message.ts';
import { messageOf } from '../../text/error-message.ts';

/** The environment variable with the secret. */
const QUEUE_KEY_VARIABLE = 'MILLRACE_QUEUE_KEY';

/** Who a sealed value is for: an assignment is for a host, receipts and messages are for a run, a body is for either. */
export type SealDirection = 'to-host' | 'to-run' | 'body';

/** What a value is sealed for: it opens for nothing else. */
export interface SealContext {
  /** Id of the job; for what belongs to no job, the name of what it belongs to. */
  job: string;
  direction: SealDirection;
}

/** A value that was not sealed with this key for this context, or was changed since. */
export class BrokenSeal extends Error {
  constructor({ job, direction }: SealContext) {
    super(`what is stored as ${direction} of ${job} was not sealed with this key, or was changed`);
    this.name = 'BrokenSeal';
  }
}

/** There is no usable key: the message says why, and what to do. */
export class QueueKeyProblem extends Error {
  /** @param advice Default: how to make a key. */
  constructor(
    why: string,
    advice = 'Make one with `openssl rand -hex 32 > queue.key && chmod 600 queue.key`.',
  ) {
    super(`${why} ${advice}`);
    this.name = 'QueueKeyProblem';
  }
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const HEAD_BYTES = 1 + NONCE_BYTES;
/** Of characters that are not chosen by a person. */
const MIN_SECRET = 32;
const SALT = 'millrace queue 1';

export class QueueKey {
  readonly #secret: Buffer;
  readonly #derived = new Map<string, Buffer>();

  /** @throws QueueKeyProblem for a secret of fewer than 32 characters. */
  constructor(secret: string) {
    if (secret.length < MIN_SECRET)
      throw new QueueKeyProblem(
        `The key of the queue has ${secret.length} characters; at least ${MIN_SECRET} are needed.`,
      );
    this.#secret = Buffer.from(secret);
  }

  /** For what redacts: a workstream may find it where this process keeps it. */
  get asSecret(): Secret {
    return { name: QUEUE_KEY_VARIABLE, value: this.#secret.toString() };
  }

  seal(context: SealContext, bytes: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keyFor(context.direction), nonce);
    cipher.setAAD(associated(context));
    return Buffer.concat([
      Buffer.of(VERSION),
      nonce,
      cipher.update(bytes),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  /** @throws BrokenSeal */
  open(context: SealContext, sealed: Uint8Array): Buffer {
    if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw new BrokenSeal(context);
    const decipher = createDecipheriv(
      'aes-256-gcm',
      this.#keyFor(context.direction),
      sealed.subarray(1, HEAD_BYTES),
      { authTagLength: TAG_BYTES },
    );
    decipher.setAAD(associated(context));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    try {
      return Buffer.concat([
        decipher.update(sealed.subarray(HEAD_BYTES, sealed.length - TAG_BYTES)),
        decipher.final(),
      ]);
    } catch {
      // The tag does not fit: nothing more can be known.
      throw new BrokenSeal(context);
    }
  }

  /** A name for a content that tells nothing of it to those who have no key: 64 hexadecimal digits. */
  idOf(bytes: Uint8Array): string {
    return createHmac('sha256', this.#keyFor('id')).update(bytes).digest('hex');
  }

  /** Tells keys apart without telling anything else of them: 8 hexadecimal digits. */
  get mark(): string {
    return this.#keyFor('mark').toString('hex', 0, 4);
  }

  #keyFor(use: SealDirection | 'id' | 'mark'): Buffer {
    let key = this.#derived.get(use);
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', this.#secret, SALT, use, KEY_BYTES));
      this.#derived.set(use, key);
    }
    return key;
  }
}

/** Without ambiguity: neither part has a line break. */
const associated = ({ job, direction }: SealContext): Buffer => Buffer.from(`${direction}\n${job}`);

const OTHERS = 0o077;
const MOST_BYTES = 4_096;

/**
 * The key of the queue, from a file or from `MILLRACE_QUEUE_KEY`. The variable is removed from this process's
 * environment, so that nothing that it starts inherits it.
 * @param file path of the key file; null for the variable.
 * @throws QueueKeyProblem where there is none, or others may read the file.
 */
export function readQueueKey(
  file: string | null,
  environment: Record<string, string | undefined> = process.env,
): QueueKey {
  const variable = environment[QUEUE_KEY_VARIABLE]?.trim();
  delete environment[QUEUE_KEY_VARIABLE];
  if (file !== null) return new QueueKey(keyFrom(file));
  if (variable === undefined || variable === '')
    throw new QueueKeyProblem(
      `The queue needs a key, the same on every host: set ${QUEUE_KEY_VARIABLE} or name a file with --queue-key-file.`,
    );
  return new QueueKey(variable);
}

function keyFrom(file: string): string {
  let text: string;
  try {
    const { mode, size } = statSync(file);
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
      throw new QueueKeyProblem(
        `Others may read the key file ${file} (mode ${(mode & 0o777).toString(8)}).`,
        'Run `chmod 600` on it.',
      );
    if (size > MOST_BYTES) throw new QueueKeyProblem(`${file} is too large to be a key file.`);
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof QueueKeyProblem) throw error;
    const why = `The key file ${file} can't be read: ${messageOf(error)}.`;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw new QueueKeyProblem(why);
    throw new QueueKeyProblem(why, 'It has to be a file that belongs to the user of this process.');
  }
  return text;
}
