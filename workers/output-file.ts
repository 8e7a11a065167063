/** The file that keeps the whole output of one execution. */
import { closeSync, fstatSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { readTail } from '../src/support/read-tail.ts';

/**
 * Opened at the first need and removed again if nothing was written. Child processes write to its descriptor
 * directly, so their output costs this process nothing and survives its death. A disk that takes no output is no
 * reason for a workstream to fail: `lost` says so.
 */
export class OutputFile {
  readonly path: string;
  /** Why some of what this process wrote is not in it; null where all of it is. */
  lost: string | null = null;
  #fd: number | null = null;
  /** Whether output goes to a file, and not to nowhere. */
  #isThere = true;

  constructor(path: string) {
    this.path = path;
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
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
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

  /** The last 4 KiB of what was written since byte `from`, as text. */
  tail(from: number): string {
    return this.#fd === null ? '' : readTail(this.#fd, from);
  }

  /** Closes it and gives its path, or removes it and gives null when it is empty. */
  close(): string | null {
    if (this.#fd === null) return null;
    const empty = this.size === 0;
    closeSync(this.#fd);
    this.#fd = null;
    if (empty && this.#isThere) rmSync(this.path, { force: true });
    return empty ? null : this.path;
  }
}
