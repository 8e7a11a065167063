/** The log of a run: NDJSON, one object a line. */
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type LevelWithSilent, type Logger, pino } from 'pino';
import type { RunEvent, RunListener } from '../domain/run-event.ts';
import { escapeControls } from '../support/escape-controls.ts';
import { cut } from './cut.ts';
import { LineSink } from './line-sink.ts';
import { about, logEntry } from './log-entry.ts';
import { lineLevel } from './log-line.ts';

export interface RunLogOptions {
  /** Least level that is written. */
  level: LevelWithSilent;
  /** Standard output (1) or standard error (2); null for neither. */
  descriptor: 1 | 2 | null;
  /** Path of a file to append to, made with its folder when it is missing; null for none. */
  file: string | null;
}

export interface RunLog {
  /** For lines that are not events. Bound to the run once it has started. */
  readonly logger: Logger;
  /** Writes a line for each event that its level lets through. Neither throws nor waits for anything but the pipe. */
  listener: RunListener;
  /** Closes the file. Nothing has to be flushed: each line is written at once. */
  close(): void;
}

/** @throws when the file can't be opened. */
export function createRunLogger({ level, descriptor, file }: RunLogOptions): RunLog {
  let startedAt: number | null = null;
  const sinks: LineSink[] = [];
  const write = (line: string): void => {
    const safe = escapeControls(line);
    for (const sink of sinks) sink.write(safe);
  };
  let logger = pino({ level, base: null }, { write });
  if (descriptor !== null) {
    const name = descriptor === 1 ? 'standard output' : 'standard error';
    sinks.push(new LineSink(descriptor, (error) => lost(logger, name, error)));
  }
  const opened = file === null ? null : openLog(file, (error) => lost(logger, file, error));
  if (opened !== null) sinks.push(opened);
  return {
    get logger() {
      return logger;
    },
    listener: (event) => {
      if (event.type === 'run-started') {
        logger = logger.child({ run_id: event.runId });
        startedAt = Date.parse(event.at);
      }
      if (event.type === 'workstream-log') return passOn(logger, write, event);
      if (event.type === 'workstream-progress' && !logger.isLevelEnabled('debug')) return;
      if (!logger.isLevelEnabled('error')) return;
      const { level, fields, text } = logEntry(event, startedAt);
      logger[level](fields, text);
    },
    close: () => opened?.close(),
  };
}

function openLog(file: string, onFailure: (error: Error) => void): LineSink {
  mkdirSync(dirname(file), { recursive: true });
  return new LineSink(openSync(file, 'a'), onFailure);
}

/** The sink that failed takes nothing any more, so this reaches the other one. */
function lost(logger: Logger, name: string, error: Error): void {
  logger.warn({ event: 'log-lost', message: error.message }, `the log can't be written to ${name} any more`);
}

/** A workstream's own line goes out as it came: it is JSON already, and bound to its run, agent and workstream. */
function passOn(
  logger: Logger,
  write: (line: string) => void,
  event: Extract<RunEvent, { type: 'workstream-log' }>,
): void {
  const level = lineLevel(event.line);
  if (level === null) {
    logger.info(
      { event: event.type, ...about(event), line: cut(event.line) },
      'a log line that is no JSON object',
    );
  } else if (level >= (logger.levels.values[logger.level] ?? Number.POSITIVE_INFINITY)) {
    write(`${event.line}\n`);
  }
}
