/**
 * Watches over a run from a process of its own, which opens no database and does next to nothing: when the run's
 * process dies, another one goes on with the run.
 */
import { type Death, describeDeath } from '../domain/failure-message.ts';
import { leaveClosedTerminals } from '../os/closed-terminals.ts';
import {
  type EndSignal,
  endsRuns,
  exitCodeOf,
  listenForSignals,
  type SignalHandlers,
} from '../os/end-signals.ts';
import { END_MS, type FromRun, CONTINUATION_VARIABLE, type Continuation, readFromRun } from './protocol.ts';
import { giveStreams } from './streams.ts';
import { type ChildProcess, spawn } from 'node:child_process';

const FAILED = 3;

/**
 * How long the run has to say that it got a signal itself. A Ctrl-C in a terminal reaches parent and child alike, and
 * is passed on only where it did not.
 */
const OWN_SIGNAL_MS = 100;

/** How a process of the run ended. */
interface End {
  death: Death;
  /** What it said its exit code would be; null where it did not. */
  exitCode: number | null;
}

/**
 * Runs `program` with these arguments until the run has ended, and gives the exit code: 3 where the run can't go on.
 * Signals are passed on. Never rejects.
 * @param program absolute path of the run's own entry.
 */
export async function watch(program: string, args: readonly string[]): Promise<number> {
  try {
    return await watchAll(program, args);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return say(`A process for the run could not be started: ${why}`, FAILED);
  }
}

async function watchAll(program: string, args: readonly string[]): Promise<number> {
  const deaths = new Deaths();
  const watched = new Watched((run) => deaths.begun(run));
  listenForSignals(watched);
  leaveClosedTerminals();
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let goingOn: Continuation | null = null;
  for (;;) {
    const { death, exitCode } = await watched.run(program, args, goingOn);
    const wanted = exitCode ?? watched.wantedEnd(death);
    if (wanted !== null) {
      if (!watched.hasRun) process.stderr.write(watched.lastWords());
      return wanted;
    }
    restoreTerminal();
    const next = deaths.died(death);
    if (next.goesOn === null) {
      process.stderr.write(watched.lastWords());
      return say(next.why, FAILED);
    }
    goingOn = next.goesOn;
  }
}

class Watched implements SignalHandlers {
  readonly #onRun: (run: Extract<FromRun, { type: 'run' }>) => void;
  readonly #streams = giveStreams();
  #child: ChildProcess | null = null;
  /** The last signal by which this process was asked to end the run. */
  #askedBy: EndSignal | null = null;
  /** The signal by which the run's process says that it was asked to end. */
  #interruptedBy: string | null = null;
  /** Whether there is a run. Code of workstreams may have printed then, and only the run's process knows the secrets. */
  hasRun = false;

  constructor(onRun: (run: Extract<FromRun, { type: 'run' }>) => void) {
    this.#onRun = onRun;
  }

  /**
   * Starts a process and waits for its end. The terminal is its own, but its standard input is at its end: what
   * workstreams read must not be what was typed or piped for the run. The real one is another descriptor.
   */
  run(program: string, args: readonly string[], goingOn: Continuation | null): Promise<End> {
    const own = goingOn === null ? {} : { [CONTINUATION_VARIABLE]: JSON.stringify(goingOn) };
    const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
      stdio: this.#streams.stdio,
      env: { ...process.env, ...this.#streams.variables, ...own },
    });
    this.#child = child;
    let said: number | null = null;
    child.on('message', (raw) => {
      const message = readFromRun(raw);
      if (message?.type === 'ended') {
        said = message.exitCode;
        // A thread that is blocked outside of JavaScript keeps it from ending.
        setTimeout(() => child.kill('SIGKILL'), END_MS).unref();
      } else if (message !== null) this.#heard(message);
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.once('exit', (exitCode, signal) => {
        const end = (): void => resolve({ death: { exitCode, signal }, exitCode: said });
        // What it said before is read until the channel is closed.
        if (child.connected) child.once('disconnect', end);
        else setImmediate(end);
      });
    });
  }

  /** What a process that died has printed that no other one will read: what Node says of its end. */
  lastWords(): string {
    return this.#streams.takeStray();
  }

  /** The run's process may have got it too, and says so of the first one. */
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

  /** The exit code where the end was wanted, or where there was no run to go on with; null for a death. */
  wantedEnd({ exitCode, signal }: Death): number | null {
    if (signal !== null && endsRuns(signal)) return exitCodeOf(signal);
    const askedBy = this.#askedBy ?? this.#interruptedBy;
    if (askedBy !== null) return exitCodeOf(askedBy);
    // Help ends without a word.
    return !this.hasRun && exitCode === 0 ? 0 : null;
  }

  #heard(message: Exclude<FromRun, { type: 'ended' }>): void {
    if (message.type === 'interrupting') {
      this.#interruptedBy = message.signal;
    } else {
      this.hasRun = true;
      this.#onRun(message);
    }
  }
}

/** A live view that died leaves the cursor hidden, and a question leaves the keys raw. */
function restoreTerminal(): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  if (process.stdout.isTTY) process.stdout.write('\u001B[?25h\n');
}

function say(text: string, exitCode: number): number {
  process.stderr.write(`millrace: ${text}\n`);
  return exitCode;
}

/** Whether a run whose process died goes on. Pure. */

/** Deaths in a row between which nothing was handed out and nothing ended: the run dies for reasons of its own. */
const MAX_IDLE = 3;
/** Deaths of one run. From the fifth on every workstream has a process of its own, so these are not theirs. */
const MAX_DEATHS = 20;

export class Deaths {
  #run: Extract<FromRun, { type: 'run' }> | null = null;
  /** Whether the process that is alive has said which run it has. */
  #isKnown = false;
  #deaths = 0;
  #idle = 0;

  /** Takes what a process says when it has taken the run. What it found there is what the one before it did. */
  begun(run: Extract<FromRun, { type: 'run' }>): void {
    const moved = this.#run === null || run.inHand > 0 || run.results > this.#run.results;
    this.#idle = moved ? 0 : this.#idle + 1;
    this.#run = run;
    this.#isKnown = true;
  }

  /** Takes a death: how the run goes on, or why it does not. */
  died(death: Death): { goesOn: Continuation } | { goesOn: null; why: string } {
    this.#deaths += 1;
    if (!this.#isKnown) this.#idle += 1;
    this.#isKnown = false;
    const how = `Its process ${describeDeath(death)}`;
    if (this.#run === null) return { goesOn: null, why: `${how} before the run had begun. Nothing was run.` };
    const { runId } = this.#run;
    const byHand = `What there is of ${runId} is kept; to go on with it: millrace run --resume ${runId}`;
    if (this.#idle >= MAX_IDLE) {
      return { goesOn: null, why: `${how} again and again before it did anything. ${byHand}` };
    }
    if (this.#deaths >= MAX_DEATHS) {
      return { goesOn: null, why: `${how}, the ${MAX_DEATHS}th that died. ${byHand}` };
    }
    return { goesOn: { runId, death, deaths: this.#deaths } };
  }
}
