/**
 * Opens files at a path where a workstream or a user may have put anything. A pipe without a writer, a device without an
 * end or a link to another file is refused with a sentence instead of waiting for it.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';

/** At the path is no file that can be used. `message` completes "it can't be used: ". */
export class UnusableFile extends Error {
  override name = 'UnusableFile';
  readonly what: 'folder' | 'special' | 'link' | 'hard-link' | 'too-large';

  constructor(what: UnusableFile['what'], message: string) {
    super(message);
    this.what = what;
  }
}

export interface OpenRules {
  /** The flags of `open`: `O_RDONLY` and so on. */
  flags: number;
  /** Whether a link is refused. For folders in which only Millrace makes files. */
  refuseLinks?: boolean;
  /** Permissions of a file that is made. */
  mode?: number;
}

// Windows has none of these; there they are undefined and count as 0.
const NO_WAIT = constants.O_NONBLOCK | constants.O_NOCTTY;
const NO_FOLLOW = constants.O_NOFOLLOW;

/**
 * Opens a regular file and returns its descriptor. With `refuseLinks` a file with a second name is refused too, so that
 * writing to it changes no other file.
 * @throws UnusableFile where something else is at the path, or else the system's error.
 */
export function openRegular(path: string, { flags, refuseLinks = false, mode = 0o666 }: OpenRules): number {
  // Opening a device can have effects. Where links are refused, only a workstream can have made it, and none can make one.
  if (!refuseLinks) refuseUnusable(statSync(path, { throwIfNoEntry: false }), false);
  const descriptor = openAtOnce(path, flags | NO_WAIT | (refuseLinks ? NO_FOLLOW : 0), mode);
  try {
    refuseUnusable(fstatSync(descriptor), refuseLinks);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openAtOnce(path: string, flags: number, mode: number): number {
  try {
    return openSync(path, flags, mode);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENXIO') throw special();
    if (code === 'EISDIR') throw folder();
    if (code === 'ELOOP' && (flags & NO_FOLLOW) !== 0)
      throw new UnusableFile('link', 'it is a symbolic link');
    throw error;
  }
}

function refuseUnusable(stats: Stats | undefined, refuseLinks: boolean): void {
  if (stats === undefined) return;
  if (stats.isDirectory()) throw folder();
  if (!stats.isFile()) throw special();
  if (refuseLinks && stats.nlink > 1) throw new UnusableFile('hard-link', 'it is another file too');
}

const folder = (): UnusableFile => new UnusableFile('folder', 'it is a folder');
const special = (): UnusableFile => new UnusableFile('special', 'it is a pipe, socket or device, not a file');

/**
 * Reads a file of at most `maxBytes`, also one whose size is reported as 0, as in /proc.
 * @throws UnusableFile, or the system's error.
 */
export function readRegular(path: string, maxBytes: number, refuseLinks = false): Buffer {
  const descriptor = openRegular(path, { flags: constants.O_RDONLY, refuseLinks });
  try {
    const { size } = fstatSync(descriptor);
    if (size > maxBytes) throw tooLarge(size, maxBytes);
    return readUpTo(descriptor, size, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, expected: number, maxBytes: number): Buffer {
  // One more than expected, so that the end is reached without another buffer.
  let bytes = Buffer.alloc(expected + 1);
  for (let length = 0; ; ) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, null);
    length += read;
    if (read === 0) return bytes.subarray(0, length);
    if (length > maxBytes) throw tooLarge(length, maxBytes);
    if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(length, 4_096))]);
  }
}

function tooLarge(size: number, maxBytes: number): UnusableFile {
  const [has, most] = [size, maxBytes].map((bytes) => Math.ceil(bytes / 1024 / 1024));
  return new UnusableFile('too-large', `it has ${has} MB; at most ${most} MB are read`);
}

/**
 * Writes a whole text to a file that a user named, in place of its contents or after them.
 * @throws UnusableFile, or the system's error.
 */
export function writeRegular(path: string, text: string, { append = false } = {}): void {
  const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC } = constants;
  const descriptor = openRegular(path, { flags: O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC) });
  try {
    writeAll(descriptor, Buffer.from(text));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes all bytes. A single write may be shorter, because of a signal or of a disk that is nearly full.
 * @param position in the file; null for the end of what was written before.
 * @throws the system's error.
 */
export function writeAll(descriptor: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    const to = position === null ? null : position + done;
    done += writeSync(descriptor, bytes, done, bytes.length - done, to);
  }
}
