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

/** What is followed, and for how long. */
export interface Following {
  open: () => LogFile | null;
  /** Whether nothing more is written. */
  isOver: () => boolean;
  /** Where to begin; null for the last part. */
  from: number | null;
  signal: AbortSignal;
}

/** What is appended to a log, message by message, also where it is made anew, or is still to be made. */
export async function* followedLog({
  open,
  isOver,
  from,
  signal,
}: Following): AsyncGenerator<Uint8Array, void, undefined> {
  let log: LogFile | null = null;
  let at: number | null = from;
  let sizes = new PastSizes();
  try {
    while (!signal.aborted) {
      // Asked before the file is read: what was written until then is read.
      const isLast = isOver();
      if (log !== null && !log.isCurrent) {
        log.close();
        log = null;
        at = 0;
        sizes = new PastSizes();
        yield event('reset', { size: 0 });
      }
      log ??= open();
      if (log !== null) {
        const begin: number = at ?? (await wholeBegin(log, Math.max(0, log.size - TAIL)));
        at = begin;
        const end = isLast ? log.size : (sizes.settled(log.size) ?? 0);
        while (at < end) {
          const part = await log.bytes(at, Math.min(PART, end - at));
          const whole = isLast && at + part.length >= end ? part.length : wholeLength(part);
          if (whole === 0) break;
          const to: number = at + whole;
          yield event('text', { from: at, to, text: part.subarray(0, whole).toString() }, to);
          at = to;
          if (signal.aborted) return;
        }
      }
      if (isLast) return yield event('over', { size: at ?? 0 });
      await pause(signal);
    }
  } finally {
    log?.close();
  }
}

function event<Name extends keyof LogEvents>(name: Name, data: LogEvents[Name], at?: number): Uint8Array {
  return eventBytes(name, JSON.stringify(data), at === undefined ? undefined : String(at));
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
