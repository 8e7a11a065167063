/** The log of a run: NDJSON, one object a line. */
import { constants, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type LevelWithSilent, type Logger, pino } from 'pino';
import type { RunEvent, RunListener } from '../domain/run-event.ts';
import { escapeControls } from '../support/escape-controls.ts';
import { makeFolder } from '../support/make-folder.ts';
import { plural } from '../support/plural.ts';
import { openRegular, UnusableFile } from '../support/regular-file.ts';
import { cut } from './cut.ts';
import { LineSink, type SinkListener } from './line-sink.ts';
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
  /** Writes a line for each event that its level lets through. Neither throws nor waits. */
  listener: RunListener;
  /**
   * Resolves when the readers have all lines, or have gone.
   * @param milliseconds how long one may take nothing; then the rest is dropped.
   */
  close(milliseconds?: number): Promise<void>;
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
    const { fd } = descriptor === 1 ? process.stdout : process.stderr;
    sinks.push(
      new LineSink(
        fd,
        listenerOf(() => logger, name),
      ),
    );
  }
  if (file !== null)
    sinks.push(
      new LineSink(
        openLog(file),
        listenerOf(() => logger, file),
      ),
    );
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
    close: async (milliseconds) => {
      await Promise.all(sinks.map((sink) => sink.close(milliseconds)));
    },
  };
}

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;

/** A pipe or device is fine, where something reads it: lines wait for it, and the run does not. */
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

function listenerOf(logger: () => Logger, name: string): SinkListener {
  return {
    // The sink that failed takes nothing any more, so this reaches the other one.
    failed: (error) => {
      const fields = { event: 'log-lost', message: error.message };
      logger().warn(fields, `the log can't be written to ${name} any more`);
    },
    left: (lines) => {
      const text = `${plural(lines, 'line')} of the log could not be kept: ${name} was not read`;
      logger().warn({ event: 'log-lost', lines }, text);
    },
  };
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
