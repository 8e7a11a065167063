/**
 * Standard output and error of a run. Code of workstreams runs in the threads of the run's own process and can write to
 * descriptors 1 and 2 in more ways than can be intercepted. So these two are an unnamed file, and the run's own output
 * goes to other descriptors. A terminal keeps its descriptor: no document is printed on it. Standard input is empty, and
 * the real one has another descriptor too (`INPUT`): workstreams must not read what was typed or piped for the run.
 */
import { fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { writeAll } from '../os/regular-file.ts';

/** Variable with the descriptors that the run's process uses instead, such as `{"1":4,"2":5}`. */
const STREAMS_VARIABLE = 'MILLRACE_STREAMS';

const OWN = { 1: 4, 2: 5 } as const;
type Standard = keyof typeof OWN;
const STANDARD: readonly Standard[] = [1, 2];

/** How the run's process is started. */
export interface GivenStreams {
  stdio: ('inherit' | 'ignore' | 'ipc' | number)[];
  variables: Record<string, string>;
  /** Returns what the process left in the file, and empties it. */
  takeStray: () => string;
}

/** To be called once for all processes of a run: the next one reads what one has left in the file. */
export function giveStreams(): GivenStreams {
  const moved = STANDARD.filter((descriptor) => !isatty(descriptor));
  const file = moved.length === 0 ? null : openUnnamed();
  if (file === null)
    return {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'ignore', 'ignore', 0],
      variables: {},
      takeStray: () => '',
    };
  const own = Object.fromEntries(moved.map((descriptor) => [descriptor, OWN[descriptor]]));
  const given = (descriptor: Standard): 'inherit' | number => (moved.includes(descriptor) ? file : 'inherit');
  return {
    stdio: ['ignore', given(1), given(2), 'ipc', 1, 2, 0],
    variables: { [STREAMS_VARIABLE]: JSON.stringify(own) },
    takeStray: () => new StrayFile(file).take(),
  };
}

/** A file without a name, which exists as long as a process has it open. Null where none can be made. */
function openUnnamed(): number | null {
  const path = join(tmpdir(), `millrace-${process.pid}-${Date.now()}`);
  try {
    const descriptor = openSync(path, 'ax+', 0o600);
    unlinkSync(path);
    return descriptor;
  } catch {
    // A full disk, or no folder for temporary files. The run works without it.
    return null;
  }
}

/**
 * Replaces `process.stdout` and `process.stderr` by the descriptors that the run was given. To be called before anything
 * uses them.
 * @returns the file at descriptors 1 and 2; null where both are terminals, or none was given.
 */
export function takeStreams(): StrayFile | null {
  const given = process.env[STREAMS_VARIABLE];
  // It is not for what this process starts.
  Reflect.deleteProperty(process.env, STREAMS_VARIABLE);
  if (given === undefined) return null;
  const own: unknown = JSON.parse(given);
  let stray: StrayFile | null = null;
  for (const descriptor of STANDARD) {
    if (typeof own !== 'object' || own === null || !(descriptor in own)) continue;
    stray = new StrayFile(descriptor);
    const stream = openStream(OWN[descriptor]);
    const name = descriptor === 1 ? 'stdout' : 'stderr';
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
  }
  return stray;
}

/** As Node does for its own: pipes and sockets are written when there is room, files at once. */
function openStream(descriptor: number): Writable & { fd: number } {
  const stats = fstatSync(descriptor);
  const stream =
    stats.isFIFO() || stats.isSocket()
      ? new Socket({ fd: descriptor, readable: false, writable: true })
      : new FileStream(descriptor);
  return Object.assign(stream, { fd: descriptor });
}

class FileStream extends Writable {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    super({ decodeStrings: true });
    this.#descriptor = descriptor;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      writeAll(this.#descriptor, bytes);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** Of more than this only the beginning is reported. */
const MOST_BYTES = 64 * 1024;

/** The file that takes what code writes past all logs. Every writer appends. */
export class StrayFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Returns what was written since the last call, of more than 64 KiB the first lines. The file is empty afterwards. */
  take(): string {
    const { size } = fstatSync(this.#descriptor);
    if (size === 0) return '';
    const bytes = Buffer.alloc(Math.min(size, MOST_BYTES));
    const length = readSync(this.#descriptor, bytes, 0, bytes.length, 0);
    ftruncateSync(this.#descriptor);
    const text = bytes.toString('utf8', 0, length);
    return size <= MOST_BYTES
      ? text
      : `${text.slice(0, text.lastIndexOf('\n') + 1)}… and ${size - MOST_BYTES} bytes more\n`;
  }
}
