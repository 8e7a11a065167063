/** The file that keeps the whole output of one execution, below that of earlier ones with the same path. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { openLog, removeLog } from '../../src/os/log-file.ts';
import { readTail } from '../../src/os/read-text.ts';
import { writeAll } from '../../src/os/regular-file.ts';
import { cutSentence, type Effort, finishRedaction, redactOpenFile } from '../../src/secrets/redact-file.ts';
import type { Redactor } from '../../src/secrets/redactor.ts';
import { messageOf } from '../../src/text/error-message.ts';

/** How long the redaction of a file may keep its thread from everything else while more is written to it. */
const SLICE_MS = 100;

/**
 * Opened at the first need and removed again if nothing was written. Child processes write to its descriptor
 * directly, so their output costs this process nothing and survives its death. A disk that refuses output does not fail
 * the workstream: it is noted in `lost`.
 *
 * Positions are counted from the start of this execution's own output.
 *
 * Secrets are covered before they are written, and in the file itself where a child process wrote them or they came in
 * pieces. What is read from it is redacted as well.
 */
export class OutputFile {
  readonly path: string;
  /** Why some of what this process wrote is not in it; null where all of it is. */
  lost: string | null = null;
  #fd: number | null = null;
  /** Whether output goes to a file, and is not discarded. */
  #isThere = true;
  readonly #redactor: Redactor;
  /** Bytes that earlier executions left in it: a resumed run appends to the same log. */
  #begin = 0;
  #inode = 0;
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

  #open(): number {
    try {
      const fd = openLog(this.path);
      const { size, ino } = fstatSync(fd);
      this.#begin = size;
      this.#inode = ino;
      return fd;
    } catch (error) {
      this.#lose(error);
      this.#isThere = false;
      return openSync(devNull, 'r+');
    }
  }

  #lose(error: unknown): void {
    this.lost ??= messageOf(error);
  }

  write(chunk: string | Uint8Array): void {
    const bytes = this.#redactor.bytes(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    try {
      writeAll(this.descriptor, bytes);
    } catch (error) {
      this.#lose(error);
    }
  }

  /** Whether anything was, or may have been, written to it. */
  get isOpen(): boolean {
    return this.#fd !== null;
  }

  /** Identifies the file at its path, which is opened; 0 where output is discarded. */
  get inode(): number {
    this.#fd ??= this.#open();
    return this.#inode;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#fd === null ? 0 : this.sizeAt(fstatSync(this.#fd).size);
  }

  /** Bytes so far when the whole file has that many. */
  sizeAt(fileSize: number): number {
    return Math.max(0, fileSize - this.#begin);
  }

  /** The last 4 KiB of what was written since byte `from`, as text without secrets. */
  tail(from: number): string {
    if (this.#fd === null) return '';
    const redactor = this.#redactor;
    const clean = (bytes: Uint8Array): Uint8Array => redactor.bytes(bytes);
    return redactor.cutText(readTail(this.#fd, this.#begin + from, { before: redactor.reach, clean }));
  }

  /** Covers the secrets in what was written since it was called before, as far as it gets in a tenth of a second. */
  redact(): void {
    if (this.#fd === null || !this.#isThere) return;
    const part = { from: this.#redacted, isComplete: false, until: performance.now() + SLICE_MS };
    try {
      this.#redacted = redactOpenFile(this.path, this.#fd, this.#redactor, part).next;
    } catch (error) {
      this.#lose(error);
      this.#remove();
    }
  }

  /** Covers the secrets in the rest, for which nothing more will be written. What there is no time for is cut out. */
  async finish(effort: Effort): Promise<void> {
    if (this.#fd === null || !this.#isThere || this.#redactor.isIdle) return;
    try {
      const removed = await finishRedaction(this.path, this.#fd, this.#redactor, this.#redacted, effort);
      if (removed > 0) this.lost ??= cutSentence(this.path, removed).replace(/\.$/, '');
      this.#redacted = fstatSync(this.#fd).size;
    } catch (error) {
      this.#lose(error);
      this.#remove();
    }
  }

  /** What is there has nothing in it, or may hold a secret that can't be covered. */
  #remove(): void {
    this.#isThere = false;
    try {
      removeLog(this.path);
    } catch (error) {
      this.lost = `the file could not be removed: ${messageOf(error)}`;
    }
  }

  /** Closes it and returns its path, or removes it and returns null when it is empty. */
  close(): string | null {
    if (this.#fd === null) return null;
    const { size } = fstatSync(this.#fd);
    closeSync(this.#fd);
    this.#fd = null;
    if (!this.#isThere) return null;
    if (size > 0) return this.path;
    this.#remove();
    return null;
  }
}
