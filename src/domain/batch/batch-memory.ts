/**
 * The memory that a batch and its thread share: how far each member is, and the outcomes of those that did nothing but
 * return. Known to `src/engine` and the entries of agents only.
 */
import type { StopCause } from '../engine.ts';
import type { Outcome, OutcomeSpan } from '../outcome.ts';

/**
 * Of a member of a batch. The thread turns `open` to `begun`, and this to `executed` where the times and the output are
 * in shared memory, or to `answered` before it sends an answer. The main thread turns `open` to `taken-back`: then
 * nothing of it will ever happen. It turns `executed` to `taken`, and so it does with one that it ends itself. Each side
 * changes only what is still as it expects.
 */
export const STATE = { open: 0, begun: 1, executed: 2, answered: 3, takenBack: 4, taken: 5 } as const;

/** How long a call took, and its one step. */
export type KeptTimes = Pick<Outcome, 'durationSeconds' | 'cpuSeconds' | 'cpuWaitSeconds'> & {
  stepSeconds: number;
};

/** What few modules return. */
export type OutcomeExtras = Pick<Outcome, 'filesModified' | 'metrics' | 'series'>;

/** Parts of one memory. */
export interface SharedViews {
  /** By member one of `STATE`; behind them how many members are known to have ended, the first ones. */
  states: Int32Array;
  /** By member 0, or one more than the index in `CAUSES` of why it is to stop. */
  cancellations: Int32Array;
  /** By member `TEXTS` numbers: where its output begins in `bytes` and how long it is, and the same of its extras. */
  texts: Int32Array;
  /** By member `TIMES` numbers: when it began, by the wall clock and by that of all threads, and its `KeptTimes`. NaN stands for null. */
  times: Float64Array;
  bytes: Uint8Array;
}

const CAUSES = ['timed-out', 'interrupted', 'cancelled', 'output-limit'] as const satisfies StopCause[];

const TIMES = 6;
const TEXTS = 4;
/** Room for the texts of a member, on average; what does not fit goes in a message. */
const TEXT_BYTES = 512;
/** Longer texts go in a message. */
const encoded = new Uint8Array(8192);

// Bound once, and given no memory that could be kept: code of a workstream could put its own in their place.
const { compareExchange, load, store } = Atomics;
const encodeInto = TextEncoder.prototype.encodeInto.bind(new TextEncoder());

/**
 * Memory that both sides share, so that it is known at every moment, also after the death of the thread, which members it
 * has begun, and what came of those that ended.
 */
export class BatchMemory {
  readonly views: SharedViews;
  /** End of the texts that this side has written. */
  #textEnd = 0;

  constructor(views: SharedViews) {
    this.views = views;
  }

  static of(members: number): BatchMemory {
    const sizes = [
      members * TIMES * 8,
      (members + 1) * 4,
      members * 4,
      members * TEXTS * 4,
      members * TEXT_BYTES,
    ];
    const memory = new SharedArrayBuffer(sizes.reduce((sum, size) => sum + size));
    let end = 0;
    const next = (size = 0): number => (end += size) - size;
    return new BatchMemory({
      times: new Float64Array(memory, next(sizes[0]), members * TIMES),
      states: new Int32Array(memory, next(sizes[1]), members + 1),
      cancellations: new Int32Array(memory, next(sizes[2]), members),
      texts: new Int32Array(memory, next(sizes[3]), members * TEXTS),
      bytes: new Uint8Array(memory, next(sizes[4])),
    });
  }

  stateOf(index: number): number {
    return load(this.views.states, index);
  }

  /** @returns whether it was `from`. */
  changeState(index: number, from: number, to: number): boolean {
    return compareExchange(this.views.states, index, from, to) === from;
  }

  setState(index: number, state: number): void {
    store(this.views.states, index, state);
  }

  /** How many members are known to have ended, the first ones, but for those that wait for an answer. */
  get ended(): number {
    return load(this.views.states, this.views.states.length - 1);
  }

  set ended(count: number) {
    store(this.views.states, this.views.states.length - 1, count);
  }

  /** Notes that a member is to stop, also one that its thread has not begun. */
  cancel(index: number, because: StopCause): void {
    store(this.views.cancellations, index, CAUSES.indexOf(because) + 1);
  }

  /** Why a member is to stop; null where it is not. */
  cancellationOf(index: number): StopCause | null {
    return CAUSES[load(this.views.cancellations, index) - 1] ?? null;
  }

  /** @param clock the same moment on the clock that all threads share. */
  writeStart(index: number, startedAt: number, clock: number): void {
    const { times } = this.views;
    times[index * TIMES] = startedAt;
    times[index * TIMES + 1] = clock;
  }

  readStart(index: number): { startedAt: number; clock: number } {
    return { startedAt: this.#time(index, 0), clock: this.#time(index, 1) };
  }

  /** Returns whether an outcome could be kept: it has nothing that is not kept, and its texts found room. */
  keepWhole(index: number, outcome: Outcome): boolean {
    const [step] = outcome.steps;
    if (step === undefined || !isCall(outcome)) return false;
    const { durationSeconds, cpuSeconds, cpuWaitSeconds } = outcome;
    const stepSeconds = step.durationSeconds;
    return this.keep(index, { durationSeconds, stepSeconds, cpuSeconds, cpuWaitSeconds }, outcome);
  }

  /** Returns whether its texts found room. */
  keep(index: number, took: KeptTimes, made: OutcomeExtras & Pick<Outcome, 'output'>): boolean {
    if (!this.#writeText(index * TEXTS, made.output)) return false;
    if (!this.#writeText(index * TEXTS + 2, extrasText(made))) return false;
    const { times } = this.views;
    const at = index * TIMES;
    times[at + 2] = took.durationSeconds;
    times[at + 3] = took.stepSeconds;
    times[at + 4] = took.cpuSeconds ?? Number.NaN;
    times[at + 5] = took.cpuWaitSeconds ?? Number.NaN;
    return true;
  }

  /**
   * The outcome that was kept, null where its texts can't be read: code of a workstream may have written here.
   * @param isSound whether what was parsed is what an agent keeps. The output is not checked.
   */
  outcomeOf(
    index: number,
    stepId: string,
    isSound: (extras: unknown) => extras is OutcomeExtras,
  ): Outcome | null {
    const extras = this.#extrasOf(index, isSound);
    if (extras === null) return null;
    // Field by field: a spread makes an object that is larger, and slower to read from then on.
    const { startedAt, endedAt, durationSeconds } = this.spanOf(index);
    return {
      status: 'completed',
      failure: null,
      steps: [
        {
          id: stepId,
          kind: 'module',
          status: 'completed',
          durationSeconds: this.#time(index, 3),
          exitCode: null,
          tail: '',
          failure: null,
          tool: null,
        },
      ],
      tests: [],
      output: this.#text(index * TEXTS),
      outputs: [],
      startedAt,
      endedAt,
      durationSeconds,
      cpuSeconds: known(this.#time(index, 4)),
      cpuWaitSeconds: known(this.#time(index, 5)),
      filesModified: extras.filesModified,
      metrics: extras.metrics,
      series: extras.series,
      warnings: [],
      logFile: null,
    };
  }

  #extrasOf(index: number, isSound: (extras: unknown) => extras is OutcomeExtras): OutcomeExtras | null {
    const text = this.#text(index * TEXTS + 2);
    if (text === null) return { filesModified: [], metrics: {}, series: {} };
    const extras = parsed(text);
    return isSound(extras) ? extras : null;
  }

  /** When a member that was kept began and ended. */
  spanOf(index: number): OutcomeSpan {
    const startedAt = this.#time(index, 0);
    const durationSeconds = this.#time(index, 2);
    return { startedAt, endedAt: startedAt + Math.round(durationSeconds * 1000), durationSeconds };
  }

  #time(index: number, offset: number): number {
    return this.views.times[index * TIMES + offset] ?? Number.NaN;
  }

  #writeText(place: number, text: string | null): boolean {
    if (text === null) return true;
    const { bytes, texts } = this.views;
    const { read, written } = encodeInto(text, encoded);
    const begin = this.#textEnd;
    if (read < text.length || written > bytes.length - begin) return false;
    for (let at = 0; at < written; at += 1) bytes[begin + at] = encoded[at] ?? 0;
    texts[place] = begin;
    texts[place + 1] = written;
    this.#textEnd = begin + written;
    return true;
  }

  #text(place: number): string | null {
    const { texts, bytes } = this.views;
    const length = texts[place + 1] ?? 0;
    if (length === 0) return null;
    const begin = bytes.byteOffset + (texts[place] ?? 0);
    return Buffer.from(bytes.buffer, begin, length).toString('utf8');
  }
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** Whether an outcome has nothing but what is kept, and the one step. */
const isCall = ({ status, steps, tests, outputs, warnings, logFile }: Outcome): boolean =>
  status === 'completed' &&
  steps.length === 1 &&
  steps[0]?.tail === '' &&
  tests.length + outputs.length + warnings.length === 0 &&
  logFile === null;

/** Null where there are none. */
function extrasText({ filesModified, metrics, series }: OutcomeExtras): string | null {
  if (filesModified.length + Object.keys(metrics).length + Object.keys(series).length === 0) return null;
  return JSON.stringify({ filesModified, metrics, series });
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
