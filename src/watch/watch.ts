/**
 * The watcher: a process of its own, which opens no database and does next to nothing. When the run's process dies, it
 * starts another one that continues the run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Death, describeDeath } from '../domain/failure-message.ts';
import { leaveClosedTerminals } from '../os/closed-terminals.ts';
import {
  type EndSignal,
  endsRuns,
  exitCodeOf,
  listenForSignals,
  type SignalHandlers,
} from '../os/end-signals.ts';
import { heapOptions } from '../os/v8-options.ts';
import { messageOf } from '../text/error-message.ts';
import { CONTINUATION_VARIABLE, type Continuation, END_MS, type FromRun, readFromRun } from './protocol.ts';
import { giveStreams } from './streams.ts';

const FAILED = 3;

/**
 * How long the run has to report that it got a signal itself. A Ctrl-C in a terminal reaches both processes; a signal to
 * the watcher alone is passed on.
 */
const OWN_SIGNAL_MS = 100;

/** How a process of the run ended. */
interface End {
  death: Death;
  /** The exit code that it sent; null where it sent none. */
  exitCode: number | null;
}

/**
 * Runs `program` with these arguments until the run has ended. Returns the exit code, 3 where the run can't be continued.
 * Passes signals on. Never rejects.
 * @param program absolute path of the run's own entry.
 */
export async function watch(program: string, args: readonly string[]): Promise<number> {
  try {
    return await watchAll(program, args);
  } catch (error) {
    const why = messageOf(error);
    return say(`A process for the run could not be started: ${why}`, FAILED);
  }
}

async function watchAll(program: string, args: readonly string[]): Promise<number> {
  const deaths = new Deaths();
  const watched = new Watched((run) => deaths.begun(run));
  listenForSignals(watched);
  leaveClosedTerminals();
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let continuation: Continuation | null = null;
  for (;;) {
    const { death, exitCode } = await watched.run(program, args, continuation);
    const wanted = exitCode ?? watched.wantedEnd(death);
    if (wanted !== null) {
      if (!watched.hasRun) process.stderr.write(watched.lastWords());
      return wanted;
    }
    restoreTerminal();
    const next = deaths.died(death);
    if (next.continuation === null) {
      process.stderr.write(watched.lastWords());
      return say(next.why, FAILED);
    }
    continuation = next.continuation;
  }
}

class Watched implements SignalHandlers {
  readonly #onRun: (run: Extract<FromRun, { type: 'run' }>) => void;
  readonly #streams = giveStreams();
  #child: ChildProcess | null = null;
  /** The last signal by which this process was asked to end the run. */
  #askedBy: EndSignal | null = null;
  /** The signal that the run's process reports to have got. */
  #interruptedBy: string | null = null;
  /** Whether there is a run. Then code of workstreams may have printed, and only the run's process knows the secrets. */
  hasRun = false;

  constructor(onRun: (run: Extract<FromRun, { type: 'run' }>) => void) {
    this.#onRun = onRun;
  }

  /** Starts a process, with the streams of `giveStreams`, and waits for its end. */
  run(program: string, args: readonly string[], continuation: Continuation | null): Promise<End> {
    const own = continuation === null ? {} : { [CONTINUATION_VARIABLE]: JSON.stringify(continuation) };
    const options = [...heapOptions(), ...process.execArgv];
    const child = spawn(process.execPath, [...options, program, ...args], {
      stdio: this.#streams.stdio,
      env: { ...process.env, ...this.#streams.variables, ...own },
    });
    this.#child = child;
    let sentCode: number | null = null;
    child.on('message', (raw) => {
      const message = readFromRun(raw);
      if (message?.type === 'ended') {
        sentCode = message.exitCode;
        // A thread that is blocked outside of JavaScript keeps it from ending.
        setTimeout(() => child.kill('SIGKILL'), END_MS).unref();
      } else if (message !== null) this.#onMessage(message);
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.once('exit', (exitCode, signal) => {
        const end = (): void => resolve({ death: { exitCode, signal }, exitCode: sentCode });
        // Messages that it sent before arrive until the channel is closed.
        if (child.connected) child.once('disconnect', end);
        else setImmediate(end);
      });
    });
  }

  /** What the last process printed past all logs, such as what Node prints when it crashes. */
  lastWords(): string {
    return this.#streams.takeStray();
  }

  /** The run's process may have got it too; then it reports that, and the signal is not passed on. */
  ask(signal: EndSignal): void {
    this.#askedBy = signal;
    setTimeout(() => {
      if (this.#interruptedBy === null) this.#child?.kill(signal);
    }, OWN_SIGNAL_MS);
  }

  /** Where the run's process got it too, it does no harm to come twice. */
  insist(signal: EndSignal): void {
    this.#askedBy = signal;
    this.#child?.kill(signal);
  }

  hangUp(): void {
    this.#child?.kill('SIGHUP');
  }

  /** The exit code where the end was asked for, or where there was no run to continue; null for a death. */
  wantedEnd({ exitCode, signal }: Death): number | null {
    if (signal !== null && endsRuns(signal)) return exitCodeOf(signal);
    const askedBy = this.#askedBy ?? this.#interruptedBy;
    if (askedBy !== null) return exitCodeOf(askedBy);
    // Help ends without a run and without a message.
    return !this.hasRun && exitCode === 0 ? 0 : null;
  }

  #onMessage(message: Exclude<FromRun, { type: 'ended' }>): void {
    if (message.type === 'interrupting') {
      this.#interruptedBy = message.signal;
    } else {
      this.hasRun = true;
      this.#onRun(message);
    }
  }
}

/** A live view that was killed leaves the cursor hidden, and a question leaves the terminal in raw mode. */
function restoreTerminal(): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  if (process.stdout.isTTY) process.stdout.write('\u001B[?25h\n');
}

function say(text: string, exitCode: number): number {
  process.stderr.write(`millrace: ${text}\n`);
  return exitCode;
}

/** Deaths in a row between which nothing was started and nothing ended: no workstream is the cause. */
const MAX_IDLE = 3;
/** Deaths of one run. From the fifth on every workstream has a process of its own, so that it does not cause them. */
const MAX_DEATHS = 20;

/** Decides whether a run whose process died is continued. */
export class Deaths {
  #run: Extract<FromRun, { type: 'run' }> | null = null;
  /** Whether the present process has sent the id of its run. */
  #isKnown = false;
  #deaths = 0;
  #idle = 0;

  /** A process has taken the run over. What it found shows what the one before it has done. */
  begun(run: Extract<FromRun, { type: 'run' }>): void {
    const moved = this.#run === null || run.running > 0 || run.results > this.#run.results;
    this.#idle = moved ? 0 : this.#idle + 1;
    this.#run = run;
    this.#isKnown = true;
  }

  /** The process has died. Returns how the run is continued, or why it is not. */
  died(death: Death): { continuation: Continuation } | { continuation: null; why: string } {
    this.#deaths += 1;
    if (!this.#isKnown) this.#idle += 1;
    this.#isKnown = false;
    const how = `Its process ${describeDeath(death)}`;
    if (this.#run === null)
      return { continuation: null, why: `${how} before the run had begun. Nothing was run.` };
    const { runId } = this.#run;
    const byHand = `All results of ${runId} so far are kept. To continue it: millrace run --resume ${runId}`;
    if (this.#idle >= MAX_IDLE) {
      return {
        continuation: null,
        why: `${how} ${MAX_IDLE} times in a row before it did anything. ${byHand}`,
      };
    }
    if (this.#deaths >= MAX_DEATHS) {
      return { continuation: null, why: `${how}, the ${MAX_DEATHS}th that died. ${byHand}` };
    }
    return { continuation: { runId, death, deaths: this.#deaths } };
  }
}
