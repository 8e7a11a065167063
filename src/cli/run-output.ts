/** Where a run is shown: live on a terminal, as NDJSON anywhere else, with --json and `--junit -` as one document. */
import type { RunResult } from '../app/run-document.ts';
import type { EventSink } from '../domain/run-event.ts';
import { RunLog } from '../progress/logs.ts';
import { messageOf } from '../text/error-message.ts';
import { shownPath } from '../text/format.ts';
import { printable } from '../text/printable.ts';
import type { RunArguments } from './commands/run.ts';
import { STANDARD_OUTPUT } from './output-file.ts';
import { print, printEach } from './standard-output.ts';
import { UsageError } from './usage-error.ts';

export interface RunOutput extends EventSink {
  /** Frees the terminal for a question, and takes it back. */
  pause(): void;
  resume(): void;
  /** Shows how the run ended. */
  end(result: RunResult, document: (format: 'json' | 'junit') => Iterable<string>): Promise<void>;
  /**
   * Waits for those who read the log. Idempotent.
   * @param exitCode of the run: one that was interrupted waits for no reader that does not read.
   */
  close(exitCode?: number): Promise<void>;
}

/** Exit codes above are those of a run that a signal ended. */
const INTERRUPTED = 128;
/** How long the log waits for a reader that takes nothing, after an interruption. */
const HURRIED_MS = 1_000;

/** Opens the output that the arguments and the kind of standard output ask for. */
export async function openOutput(argv: RunArguments): Promise<RunOutput> {
  if (argv.json) return documentOutput(openLog(argv, 2), 'json');
  if (argv.junit === STANDARD_OUTPUT) return documentOutput(openLog(argv, 2), 'junit');
  return isForPeople() ? terminalOutput(openLog(argv, null)) : logOutput(openLog(argv, 1));
}

/** A terminal in CI has no person in front of it. */
function isForPeople(): boolean {
  const ci = process.env['CI'];
  return process.stdout.isTTY && (ci === undefined || ci === '' || ci === 'false' || ci === '0');
}

function openLog(argv: RunArguments, descriptor: 1 | 2 | null): RunLog {
  const file = argv.logFile ?? null;
  try {
    return new RunLog({ level: argv.logLevel, descriptor, file, format: argv.logFormat });
  } catch (error) {
    if (file === null) throw error;
    throw new UsageError(`--log-file: ${file} can't be written: ${messageOf(error)}.`);
  }
}

function logOutput(log: RunLog): RunOutput {
  return {
    take: (events) => log.take(events),
    pause: () => undefined,
    resume: () => undefined,
    end: async () => undefined,
    close: (exitCode = 0) => log.close(exitCode > INTERRUPTED ? HURRIED_MS : undefined),
  };
}

/** Standard output is for the document alone. */
function documentOutput(log: RunLog, format: 'json' | 'junit'): RunOutput {
  return { ...logOutput(log), end: (_result, document) => printEach(document(format)) };
}

/** Loads what only a terminal needs. */
async function terminalOutput(log: RunLog): Promise<RunOutput> {
  const { startLive } = await import('../progress/live.ts');
  const { coloursFor, glyphsFor } = await import('../progress/style.ts');
  const { summary } = await import('../progress/summary.ts');
  const live = startLive({ stream: process.stdout });
  let hasEnded = false;
  return {
    take: (events) => {
      log.take(events);
      live.take(events);
      for (const event of events) if (event.type === 'notice') tellNotice(hasEnded ? null : live, event.text);
    },
    pause: () => live.pause(),
    resume: () => live.resume(),
    end: async (result) => {
      live.stop();
      hasEnded = true;
      const look = { colour: coloursFor(process.stdout), glyphs: glyphsFor(process.env) };
      const shown = (path: string | null): string | null =>
        path === null ? null : shownPath(process.cwd(), path);
      const places = { report: shown(result.reportPath), page: shown(result.pagePath) };
      await print(
        summary(result.consolidated, { ...places, comparison: result.comparison, ...look }).join('\n'),
      );
    },
    close: async () => {
      live.stop();
      await log.close();
    },
  };
}

/** Prints a notice on standard error, above the live view where there is one. */
function tellNotice(live: { pause(): void; resume(): void } | null, text: string): void {
  live?.pause();
  process.stderr.write(`millrace: ${printable(text)}\n`);
  live?.resume();
}
