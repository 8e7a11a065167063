/** The file that keeps the whole output of one execution. */
import { closeSync, fstatSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { readTail } from '../src/support/read-tail.ts';

/**
 * Opened at the first need and removed again if nothing was written. Child processes write to its descriptor
 * directly, so their output costs this process nothing and survives its death.
 */
export class OutputFile {
  readonly path: string;
  #fd: number | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** The descriptor, in append mode, so that several writers never overwrite each other. */
  get descriptor(): number {
    this.#fd ??= openSync(this.path, 'a+');
    return this.#fd;
  }

  write(chunk: string | Uint8Array): void {
    if (typeof chunk === 'string') writeSync(this.descriptor, chunk);
    else writeSync(this.descriptor, chunk);
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
    if (empty) unlinkSync(this.path);
    return empty ? null : this.path;
  }
}
