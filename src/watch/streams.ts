/**
 * Standard output and error of a run. Code of workstreams runs in the threads of the run's own process and can write to
 * descriptors 1 and 2 in more ways than can be intercepted. So these are a file that nobody sees, and what the run says
 * goes to other descriptors. A terminal stays where it is: there is no document on it. Standard input is at its end, and
 * the real one is another descriptor too (`INPUT`): what workstreams read must not be what was typed or piped for the run.
 */
import { fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { writeAll } from '../os/regular-file.ts';

/** Variable that says which descriptors the run's process has instead, such as `{"1":4,"2":5}`. */
const STREAMS_VARIABLE = 'MILLRACE_STREAMS';

const OWN = { 1: 4, 2: 5 } as const;
type Standard = keyof typeof OWN;
const STANDARD: readonly Standard[] = [1, 2];

/** What the run's process is started with. */
export interface GivenStreams {
  stdio: ('inherit' | 'ignore' | 'ipc' | number)[];
  variables: Record<string, string>;
  /** Takes what the process left in the file. */
  takeStray: () => string;
}

/** To be called once for all processes of a run: what one of them left in the file, the next one reads. */
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

/** A file without a name, which is gone with those who have it open. Null where none can be made. */
function openUnnamed(): number | null {
  const path = join(tmpdir(), `millrace-${process.pid}-${Date.now()}`);
  try {
    const descriptor = openSync(path, 'ax+', 0o600);
    unlinkSync(path);
    return descriptor;
  } catch {
    // A full disk, or no folder for temporary files: the run can do without.
    return null;
  }
}

/**
 * Makes `process.stdout` and `process.stderr` what the run was given for them. To be called before anything uses them.
 * @returns what reads the file that stands in their place; null where both are terminals, or nothing was given.
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

/** As Node opens its own: pipes and sockets write when there is room, files at once. */
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

/** More than this is not told of what was written at once. */
const MOST_BYTES = 64 * 1024;

/** What was written past all logs. Everything that writes to it appends. */
export class StrayFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** What has been written since it was asked before, of more than 64 KiB the first lines. The file is empty afterwards. */
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
