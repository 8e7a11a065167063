/** What workstreams printed: files of the run alone, a part at a time, whatever their size. */
import type { LogEvents, LogsEvents } from '../domain/dashboard/answers.ts';
import { type LogFile, PastSizes, wholeBegin, wholeLength } from '../os/logs/read-log.ts';
import { type BeginOfLogs, type LogsOfRun, logsWithPositions, pause } from '../os/logs/run-logs.ts';
import { eventBytes } from './client-stream.ts';

/** Most bytes of one answer or message. */
const PART = 256 * 1024;
/** With how much of its end a log is followed where nothing else is asked for. */
const TAIL = 64 * 1024;
/** With how much the logs of a run are followed: a page that is opened on ten thousand of them is not sent them all. */
const BEGIN: BeginOfLogs = { lines: 50, bytes: 16 * 1024, ended: 100 };

/** A part of a file: from its first byte to before its last. */
export interface ByteRange {
  from: number;
  to: number;
}

/** One range of bytes; others, such as several at once, are not known here. */
const RANGE = /^bytes=\s*(\d*)-(\d*)$/i;

/**
 * The range that a request asks for, in a file of this size: `whole` for no range and for one that is to be ignored (RFC
 * 9110, 14.2: an unknown unit, what can't be read, what is not supported), `none` for what can't be satisfied.
 */
export function rangeIn(header: string | undefined, size: number): ByteRange | 'whole' | 'none' {
  const [, first = '', last = ''] = RANGE.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '')
    return size > 0 && Number(last) > 0 ? { from: Math.max(0, size - Number(last)), to: size } : 'none';
  if (last !== '' && Number(last) < Number(first)) return 'whole';
  return Number(first) < size
    ? { from: Number(first), to: last === '' ? size : Math.min(size, Number(last) + 1) }
    : 'none';
}

/** A part of a log, read as fast as the client takes it. Closes the file. */
export function logBody(log: LogFile, { from, to }: ByteRange): ReadableStream<Uint8Array> {
  let at = from;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await log.bytes(at, Math.min(PART, to - at));
        at += bytes.length;
        if (bytes.length > 0) controller.enqueue(bytes);
        if (bytes.length > 0 && at < to) return;
        controller.close();
        log.close();
      },
      cancel: () => log.close(),
    },
    { highWaterMark: 0 },
  );
}

/** How far a log was read: up to which byte, of which file; null for whichever there is. */
export interface LogPosition {
  at: number;
  file: string | null;
}

const POSITION = /^(\d{1,15})(?:@([\d.-]{1,60}))?$/;

/** "BYTE", "BYTE@FILE". Null for what is no position. */
export function parseLogPosition(text: string): LogPosition | null {
  const [, at, file = null] = POSITION.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), file };
}

const formatLogPosition = ({ at, file }: LogPosition): string => (file === null ? `${at}` : `${at}@${file}`);

/** The log of a workstream at a moment. */
export interface LogNow {
  /** That of its last attempt, to be closed; null where there is none. */
  log: LogFile | null;
  /** Whether nothing more is written to it. */
  isOver: boolean;
}

/** What is followed, and for how long. */
export interface Following {
  look: () => LogNow;
  /** Where to begin; null for the last part. */
  from: LogPosition | null;
  signal: AbortSignal;
}

/** What is appended to a log, message by message, also where another attempt begins another, or it is still to be made. */
export async function* followedLog({
  look,
  from,
  signal,
}: Following): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new LogReader(from);
  try {
    while (!signal.aborted) {
      // Found out before the file is read: what was written until then is read.
      const { log, isOver } = look();
      yield* reader.take(log);
      for await (const text of reader.read(isOver)) {
        yield text;
        if (signal.aborted) return;
      }
      if (isOver) return yield event('over', { size: reader.at });
      await pause(signal);
    }
  } finally {
    reader.close();
  }
}

/** Reads the log of one workstream, whichever file that is. */
class LogReader {
  #log: LogFile | null = null;
  #sizes = new PastSizes();
  /** Null until it is known where to begin. */
  #position: LogPosition | null;

  constructor(from: LogPosition | null) {
    this.#position = from;
  }

  /** Up to where it was read, in bytes. */
  get at(): number {
    return this.#position?.at ?? 0;
  }

  /** Goes on with this file, and says so where that is another one than before. Closes it where it is read already. */
  async *take(next: LogFile | null): AsyncGenerator<Uint8Array, void, undefined> {
    const [before, known] = [this.#log, this.#position];
    if (next === null || before?.isSameAs(next) === true) {
      next?.close();
      // A client that comes back is to miss nothing of what is still to be made.
      if (known === null) yield this.#begin('position', { at: 0, file: null });
      return;
    }
    before?.close();
    this.#log = next;
    this.#sizes = new PastSizes();
    const file = next.identity;
    const isSame = before === null && (known?.file ?? file) === file;
    if (known !== null && isSame) this.#position = { at: known.at, file };
    else {
      const at = before === null ? await wholeBegin(next, Math.max(0, next.size - TAIL)) : 0;
      yield this.#begin(known === null ? 'position' : 'reset', { at, file });
    }
  }

  #begin(name: 'position' | 'reset', position: LogPosition): Uint8Array {
    this.#position = position;
    return name === 'reset' ? event(name, { size: 0 }, position) : event(name, {}, position);
  }

  /** @param isLast whether nothing is added any more: until then what may still hold a secret waits. */
  async *read(isLast: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    const [log, position] = [this.#log, this.#position];
    if (log === null || position === null) return;
    const { file } = position;
    const end = isLast ? log.size : (this.#sizes.settled(log.size) ?? 0);
    while (this.at < end) {
      const from = this.at;
      const part = await log.bytes(from, Math.min(PART, end - from));
      const whole = isLast && from + part.length >= end ? part.length : wholeLength(part);
      if (whole === 0) return;
      const to = from + whole;
      this.#position = { at: to, file };
      yield event('text', { from, to, text: part.subarray(0, whole).toString() }, this.#position);
    }
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }
}

function event<Name extends keyof LogEvents>(
  name: Name,
  data: LogEvents[Name],
  position?: LogPosition,
): Uint8Array {
  const id = position === undefined ? undefined : formatLogPosition(position);
  return eventBytes(name, JSON.stringify(data), id);
}

/** What all workstreams of a run print, message by message, and how far that was. */
export async function* followedRun(
  logs: Omit<LogsOfRun, 'begin'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const read of logsWithPositions({ ...logs, begin: BEGIN }))
    yield typeof read === 'string'
      ? eventBytes('position', JSON.stringify({} satisfies LogsEvents['position']), read)
      : eventBytes('lines', JSON.stringify(read satisfies LogsEvents['lines']));
  if (logs.signal?.aborted !== true)
    yield eventBytes('over', JSON.stringify({} satisfies LogsEvents['over']));
}
