/** The file that keeps the whole output of one execution. */
import { closeSync, fstatSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { readTail } from '../src/support/read-tail.ts';
import { redactOpenFile } from '../src/support/redact-file.ts';
import type { Redactor } from '../src/support/redactor.ts';

/**
 * Opened at the first need and removed again if nothing was written. Child processes write to its descriptor
 * directly, so their output costs this process nothing and survives its death. A disk that takes no output is no
 * reason for a workstream to fail: `lost` says so.
 *
 * Secrets are covered before they are written, and in the file itself where a child process wrote them or they came in
 * pieces: before anything is read from it, and when it is closed.
 */
export class OutputFile {
  readonly path: string;
  /** Why some of what this process wrote is not in it; null where all of it is. */
  lost: string | null = null;
  #fd: number | null = null;
  /** Whether output goes to a file, and not to nowhere. */
  #isThere = true;
  readonly #redactor: Redactor;
  /** Up to where secrets are covered. */
  #redacted = 0;

  constructor(path: string, redactor: Redactor) {
    this.path = path;
    this.#redactor = redactor;
  }

  /** The descriptor, in append mode, so that several writers never overwrite each other. */
  get descriptor(): number {
    this.#fd ??= this.#open();
    return this.#fd;
  }

  /** A step may have removed the folder, as `git clean` does. */
  #open(): number {
    try {
      return openSync(this.path, 'a+');
    } catch {
      return this.#openAnew();
    }
  }

  #openAnew(): number {
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      return openSync(this.path, 'a+');
    } catch (error) {
      this.#lose(error);
      this.#isThere = false;
      return openSync(devNull, 'r+');
    }
  }

  #lose(error: unknown): void {
    this.lost ??= error instanceof Error ? error.message : String(error);
  }

  write(chunk: string | Uint8Array): void {
    const bytes = this.#redactor.bytes(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    // A signal or a disk that is nearly full makes a write shorter than it was asked to be.
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done);
    } catch (error) {
      this.#lose(error);
    }
  }

  /** Bytes so far. */
  get size(): number {
    return this.#fd === null ? 0 : fstatSync(this.#fd).size;
  }

  /** The last 4 KiB of what was written since byte `from`, as text without secrets. */
  tail(from: number): string {
    if (this.#fd === null) return '';
    this.redact(false);
    return this.#redactor.cutText(readTail(this.#fd, from));
  }

  /**
   * Covers the secrets in what was written since it was called before.
   * @param isComplete whether nothing more will be written.
   */
  redact(isComplete: boolean): void {
    if (this.#fd === null || !this.#isThere) return;
    const part = { from: this.#redacted, isComplete };
    try {
      this.#redacted = redactOpenFile(this.path, this.#fd, this.#redactor, part);
    } catch (error) {
      this.#lose(error);
      this.#remove();
    }
  }

  /** It may hold a secret and nobody can tell, so it is better gone. */
  #remove(): void {
    this.#isThere = false;
    try {
      rmSync(this.path, { force: true });
    } catch (error) {
      this.lost = `it may hold secrets and could not be removed: ${String(error)}`;
    }
  }

  /** Closes it and gives its path, or removes it and gives null when it is empty. */
  close(): string | null {
    if (this.#fd === null) return null;
    this.redact(true);
    const empty = this.size === 0;
    closeSync(this.#fd);
    this.#fd = null;
    if (empty && this.#isThere) rmSync(this.path, { force: true });
    return empty || !this.#isThere ? null : this.path;
  }
}
