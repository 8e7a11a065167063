/**
 * What agents and a command host say to each other. `workers/native/command-host.c` says what the requests and answers
 * mean, and has the same for the native host.
 *
 * A frame is the length of the rest, in four bytes, and fields of UTF-8 that each end with a NUL: nothing is quoted.
 */
import { constants } from 'node:os';

const HEAD_BYTES = 4;
const MOST_BYTES = 64 * 1024 * 1024;

/** Starts a command as the leader of a session and process group of its own, without input. */
export interface CommandRequest {
  /** Unique on its connection. */
  id: number;
  /** How long it is given to end, should its agent be gone. */
  graceSeconds: number;
  /** Absolute path of the file that its output is added to. */
  log: string;
  /** By which it is known that this is the file that the agent has open. */
  inode: number;
  /** Absolute path of the folder that it runs in. */
  folder: string;
  /** The program and its arguments. */
  argv: readonly string[];
  /** Added to what the connection's commands inherit, as NAME=value; a NAME alone is taken away. */
  variables: readonly string[];
}

export type HostRequest = { type: 'env'; variables: readonly string[] } | ({ type: 'run' } & CommandRequest);

/** At what a start failed: the log, the folder to run in, the program itself, or something before it. */
type RefusedAt = 'log' | 'folder' | 'start' | 'program';

/**
 * What a command that has ended may have left running: others of its group, something in other groups, or nothing, because
 * nothing has been started on the system meanwhile but by the host itself.
 */
export type LeftRunning = 'group' | 'elsewhere' | 'nothing';

/** What a command used with the processes that it waited for. */
export interface CommandUsage {
  cpuSeconds: number;
  /** The most that one of these held, in MB (2^20 bytes). */
  peakMemoryMb: number;
}

export type HostAnswer =
  /** A native host does not send it for what ends within a moment. */
  | { type: 'started'; id: number; pid: number }
  /** Nothing was started. */
  | { type: 'refused'; id: number; where: RefusedAt; errno: number }
  | {
      type: 'ended';
      id: number;
      pid: number;
      code: number | null;
      signal: NodeJS.Signals | null;
      left: LeftRunning;
      /** Bytes in the log. */
      logSize: number;
      /** Null where the host does not know it, as that of Node. */
      usage: CommandUsage | null;
    };

export function requestFrame(request: HostRequest): Buffer {
  if (request.type === 'env') return frame(['env', ...request.variables]);
  const { id, graceSeconds, log, inode, folder, argv, variables } = request;
  const grace = Math.round(graceSeconds * 1000);
  return frame([
    'run',
    `${id}`,
    `${grace}`,
    log,
    `${inode}`,
    folder,
    `${argv.length}`,
    ...argv,
    ...variables,
  ]);
}

export function answerFrame(answer: HostAnswer): Buffer {
  const { id } = answer;
  switch (answer.type) {
    case 'started':
      return frame(['started', `${id}`, `${answer.pid}`]);
    case 'refused':
      return frame(['refused', `${id}`, answer.where, `${answer.errno}`]);
    case 'ended': {
      const { pid, code, signal, left, logSize, usage } = answer;
      const number = signal === null ? 0 : constants.signals[signal];
      const used = usage === null ? [] : [usage.cpuSeconds * 1e6, usage.peakMemoryMb * 1024].map(Math.round);
      return frame(['ended', ...[id, pid, code ?? -1, number, left, logSize, ...used].map(String)]);
    }
  }
}

/** @throws RangeError where it is longer than a host reads. */
function frame(fields: readonly string[]): Buffer {
  const text = `${fields.join('\0')}\0`;
  const length = Buffer.byteLength(text);
  if (length > MOST_BYTES) throw new RangeError(`a message to or from the command host has ${length} bytes`);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + length);
  bytes.writeUInt32LE(length);
  bytes.write(text, HEAD_BYTES);
  return bytes;
}

/** @throws Error for what is none. */
export function readRequest(fields: readonly string[]): HostRequest {
  const [type, id, grace, log = '', inode, folder = '', count] = fields;
  if (type === 'env') return { type, variables: fields.slice(1) };
  const length = numberIn(count);
  if (type !== 'run' || length < 1 || fields.length < 7 + length) throw malformed();
  const graceSeconds = numberIn(grace) / 1000;
  const argv = fields.slice(7, 7 + length);
  const variables = fields.slice(7 + length);
  return { type, id: numberIn(id), graceSeconds, log, inode: numberIn(inode), folder, argv, variables };
}

/** @throws Error for what is none. */
export function readAnswer(fields: readonly string[]): HostAnswer {
  const [type = '', id, first, second, third, left, size, ...used] = fields;
  switch (type) {
    case 'started':
      return { type, id: numberIn(id), pid: numberIn(first) };
    case 'refused':
      return { type, id: numberIn(id), where: oneOf(OBSTACLES, first), errno: numberIn(second) };
    case 'ended': {
      const code = second === '-1' ? null : numberIn(second);
      const signal = SIGNALS.get(numberIn(third)) ?? null;
      const pid = numberIn(first);
      return {
        type,
        id: numberIn(id),
        pid,
        code,
        signal,
        left: oneOf(LEFT, left),
        logSize: numberIn(size),
        usage: usageIn(used),
      };
    }
    default:
      throw malformed();
  }
}

/** Microseconds and kilobytes, or nothing. */
function usageIn(fields: readonly string[]): CommandUsage | null {
  if (fields.length === 0) return null;
  const [microseconds, kilobytes] = fields;
  return { cpuSeconds: numberIn(microseconds) / 1e6, peakMemoryMb: numberIn(kilobytes) / 1024 };
}

function numberIn(text = ''): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < 0) throw malformed();
  return value;
}

const OBSTACLES: readonly RefusedAt[] = ['log', 'folder', 'start', 'program'];
const LEFT: readonly LeftRunning[] = ['group', 'elsewhere', 'nothing'];

function oneOf<Word extends string>(words: readonly Word[], text: string | undefined): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) throw malformed();
  return found;
}

/** The first name of each, as Node has it. */
const SIGNALS = new Map<number, NodeJS.Signals>();
for (const name of Object.keys(constants.signals)) {
  if (isSignal(name) && !SIGNALS.has(constants.signals[name])) SIGNALS.set(constants.signals[name], name);
}

function isSignal(name: string): name is NodeJS.Signals {
  return name in constants.signals;
}

const malformed = (): Error => new Error('what the command host was sent, or has sent, breaks its protocol');

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #onFrame: (fields: string[]) => void;
  #rest: Buffer | null = null;

  constructor(onFrame: (fields: string[]) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes and passes on the frames that end in them. @throws Error for what is none. */
  take(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length === 0 || length > MOST_BYTES) throw malformed();
      const end = at + HEAD_BYTES + length;
      if (end > bytes.length) break;
      if (bytes[end - 1] !== 0) throw malformed();
      this.#onFrame(bytes.toString('utf8', at + HEAD_BYTES, end - 1).split('\0'));
      at = end;
    }
    this.#rest = at === bytes.length ? null : bytes.subarray(at);
  }
}
