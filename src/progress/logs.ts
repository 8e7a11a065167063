/** The log of a run: where its lines go, one JSON object or one line of text each. */
import { constants, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type LevelWithSilent, type Logger, pino } from 'pino';
import { isFields } from '../domain/json.ts';
import type { EventOf, EventSink, RunEvent } from '../domain/run-event.ts';
import { makeFolder } from '../os/folder.ts';
import { openRegular, UnusableFile } from '../os/regular-file.ts';
import { cutBytes } from '../text/cut-text.ts';
import { plural } from '../text/format.ts';
import { escapeControls, oneLine } from '../text/printable.ts';
import { LineSink, type RotatedFile, type SinkListener } from './line-sink.ts';
import { type LogEntry, logEntry } from './log-entry.ts';

export interface RunLogOptions {
  /** Least level that is written. */
  level: LevelWithSilent;
  /** Standard output (1) or standard error (2); null for neither. */
  descriptor: 1 | 2 | null;
  /** Path of a file to append to, made with its folder when it is missing; null for none. */
  file: string | null;
  /** `json`: one object a line. `text`: a line for people. Default: `json`. */
  format?: LogFormat;
}

type LogFormat = 'json' | 'text';

/** Writes the log of one run to a standard stream, a file, or both. */
export class RunLog implements EventSink {
  readonly #sinks: readonly LineSink[];
  readonly #isText: boolean;
  #logger: Logger;
  /** What all lines of the run have in common, as JSON: a comma and members of the object. */
  #common = '';
  /** Milliseconds since 1970; null before the run. */
  #startedAt: number | null = null;
  /** Lines that are written together; null while each is written at once. */
  #collected: string[] | null = null;

  /** @throws when the file can't be opened. */
  constructor({ level, descriptor, file, format = 'json' }: RunLogOptions) {
    this.#isText = format === 'text';
    this.#logger = pino({ level, base: null }, { write: (line) => this.#write(line) });
    this.#sinks = [
      ...(descriptor === null ? [] : [this.#sinkOf(streamOf(descriptor).fd, nameOf(descriptor))]),
      ...(file === null
        ? []
        : [this.#sinkOf(openLog(file), file, { path: file, open: () => openLog(file) })]),
    ];
  }

  /** For lines that are not events. Bound to the run once it has started. */
  get logger(): Logger {
    return this.#logger;
  }

  /** Writes a line for each event of the log's level, all together. Neither throws nor waits. */
  take(events: readonly RunEvent[]): void {
    // On a terminal the live view takes its place.
    if (this.#sinks.length === 0) return;
    const lines: string[] = [];
    this.#collected = lines;
    try {
      for (const event of events) this.#log(event);
    } finally {
      this.#collected = null;
    }
    if (lines.length > 0) this.#writeAll(lines);
  }

  #log(event: RunEvent): void {
    if (event.type === 'run-started') {
      this.#logger = this.#logger.child({ run_id: event.runId });
      this.#common = `,"run_id":${JSON.stringify(event.runId)}`;
      this.#startedAt = Date.parse(event.at);
    }
    if (event.type === 'workstream-log') return this.#passOn(event);
    if (event.type === 'workstream-progress' && !this.#logger.isLevelEnabled('debug')) return;
    if (!this.#logger.isLevelEnabled('error')) return;
    const { level, fields, text } = logEntry(event, this.#startedAt);
    if (this.#logger.isLevelEnabled(level)) this.#write(this.#line(LEVEL_NUMBERS[level], fields, text));
  }

  /** The line that the logger would make of it, in a fifth of the time: there are two for each workstream. */
  #line(level: number, fields: LogEntry['fields'], text: string): string {
    const members = JSON.stringify(fields).slice(1, -1);
    return `{"level":${level},"time":${Date.now()}${this.#common},${members},"msg":${JSON.stringify(text)}}\n`;
  }

  /**
   * Resolves when the readers have all lines, or have gone.
   * @param milliseconds how long one may take nothing; then the rest is dropped.
   */
  async close(milliseconds?: number): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.close(milliseconds)));
  }

  #write(line: string): void {
    if (this.#collected === null) this.#writeAll([line]);
    else this.#collected.push(line);
  }

  #writeAll(lines: readonly string[]): void {
    const safe = escapeControls(this.#isText ? lines.map(asText).join('') : lines.join(''));
    for (const sink of this.#sinks) sink.write(safe, lines.length);
  }

  #sinkOf(descriptor: number, name: string, rotated: RotatedFile | null = null): LineSink {
    const listener: SinkListener = {
      // The sink that failed writes nothing any more, so that only the other one gets this line.
      failed: ({ message }) =>
        this.#logger.warn({ event: 'log-lost', message }, `the log can't be written to ${name} any more`),
      dropped: (lines) => {
        const text = `${plural(lines, 'line')} of the log could not be kept: ${name} was not read`;
        this.#logger.warn({ event: 'log-lost', lines }, text);
      },
    };
    return new LineSink(descriptor, listener, undefined, rotated);
  }

  /** Writes a workstream's own line as it came: it is JSON, and has the ids of its run, agent and workstream. */
  #passOn(event: EventOf<'workstream-log'>): void {
    const logger = this.#logger;
    const level = lineLevel(event.line);
    if (level === null) {
      const fields = {
        event: event.type,
        agent_id: event.agentId,
        workstream_id: event.workstreamId,
        line: cutBytes(event.line),
      };
      logger.info(fields, 'a log line that is no JSON object');
    } else if (level >= (logger.levels.values[logger.level] ?? Number.POSITIVE_INFINITY)) {
      this.#write(`${event.line}\n`);
    }
  }
}

const streamOf = (descriptor: 1 | 2): { fd: number } => (descriptor === 1 ? process.stdout : process.stderr);
const nameOf = (descriptor: 1 | 2): string => (descriptor === 1 ? 'standard output' : 'standard error');

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;

/** A pipe or a device is allowed, if something reads it: lines wait for it, and the run does not. */
function openLog(file: string): number {
  makeFolder(dirname(file));
  try {
    return openRegular(file, { flags: O_WRONLY | O_APPEND | O_CREAT });
  } catch (error) {
    if (!(error instanceof UnusableFile) || error.what !== 'special') throw error;
    return openSpecial(file);
  }
}

function openSpecial(file: string): number {
  try {
    return openSync(file, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENXIO')
      throw new UnusableFile('special', 'it is a pipe that nothing reads, or a socket');
    throw error;
  }
}

const LEVEL_NAMES = new Map([
  [10, 'TRACE'],
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'FATAL'],
]);

/** What every line of a text would repeat. */
const NOT_IN_TEXT = new Set(['level', 'time', 'msg', 'run_id', 'event', 'log_version']);

/** A line of JSON as one for people: time, level, what happened, and the fields that are not null, as `name=value`. */
function asText(line: string): string {
  const fields: Record<string, unknown> = JSON.parse(line);
  const { level, time, msg } = fields;
  const at = typeof time === 'number' && Math.abs(time) < 8e15 ? new Date(time).toISOString() : '-';
  const name = LEVEL_NAMES.get(Number(level)) ?? String(level);
  const pairs = Object.entries(fields).flatMap(([key, value]) =>
    NOT_IN_TEXT.has(key) || value === null ? [] : [`${oneLine(key, MAX_NAME)}=${valueText(value)}`],
  );
  return `${[at, name.padEnd(5), oneLine(typeof msg === 'string' ? msg : JSON.stringify(msg ?? ''), MAX_TEXT), ...pairs].join(' ')}\n`;
}

const MAX_NAME = 200;
const MAX_TEXT = 8_192;

/** What holds spaces, quotes or what ends a line is written as JSON. */
const valueText = (value: unknown): string =>
  typeof value === 'string' && /^[^\s"=\\\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);

/** Of pino. */
const LEVEL_NUMBERS = { debug: 20, info: 30, warn: 40, error: 50 } as const satisfies Record<
  LogEntry['level'],
  number
>;

/** A workstream's own line that is longer is not written as it is. */
const MAX_LENGTH = 1_048_576;

/** The pino level of a log line, or null when it is not one JSON object on one line, or is too long. */
function lineLevel(line: string): number | null {
  if (line.length > MAX_LENGTH || /[\n\r]/.test(line)) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (!isFields(value)) return null;
    return typeof value['level'] === 'number' ? value['level'] : LEVEL_NUMBERS.info;
  } catch {
    // It is no JSON.
    return null;
  }
}
